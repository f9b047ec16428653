import type { FastifySchemaCompiler } from 'fastify';
import { z } from 'zod';
import { type ErrorCode, VerydeepError } from '../../errors.ts';
import { fromTexts } from '../../options/from-text.ts';
import { describeIssues } from '../../options/issues.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  body: 'INVALID_JOB',
  querystring: 'INVALID_OPTION',
};

/** Checks the parts of a request by their schemas. Gives INVALID_JOB of a body, INVALID_OPTION of a query, with all reasons. */
export const validateJobs: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart = '' }) => {
  return (received) => {
    const isQuery = httpPart === 'querystring' && schema instanceof z.ZodObject;
    const values = isQuery ? fromTexts(schema, received) : received;
    const { data, error } = schema.safeParse(values);
    if (!error) return { value: data };
    const kind = httpPart === 'body' ? 'field' : 'option';
    const reasons = describeIssues(schema, error.issues, values, { kind });
    return { error: new VerydeepError(codes[httpPart] ?? 'MALFORMED_REQUEST', reasons.join('. ')) };
  };
};
