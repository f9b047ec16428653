import { describe, expect, it } from 'vitest';
import { boxOfCorners, parseVoc } from '../../src/datasets/voc.ts';

const object = (name: string, ...corners: readonly (number | string)[]): string => {
  const [xmin, ymin, xmax, ymax] = corners;
  const box = `<xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax>`;
  return `<object><name>${name}</name><bndbox>${box}</bndbox></object>`;
};

describe('VOC annotations', () => {
  it('reads the objects and skips the rest', () => {
    const xml = `<?xml version="1.0" encoding="utf-8"?>
      <!-- <object> of an earlier <version> -->
      <annotation verified="yes">
        <folder>val</folder><size><width>500</width></size><segmented/>
        <object>
          <name> n01751748 </name><pose>Unspecified</pose>
          <part><name>tail</name><bndbox><xmin>1</xmin></bndbox></part>
          <bndbox><xmin>111</xmin><ymin>108</ymin><xmax>441</xmax><ymax>193</ymax></bndbox>
        </object>
        ${object('n01440764', '1.5', 2, 10, 20)}
      </annotation>`;
    expect(parseVoc(xml, 'a.xml')).toEqual([
      { name: 'n01751748', box: [110, 107, 331, 86] },
      { name: 'n01440764', box: [0.5, 1, 9.5, 19] },
    ]);
    expect(parseVoc('<annotation/>', 'a.xml')).toEqual([]);
  });

  it('counts pixels from 1, the last one included', () => {
    expect(boxOfCorners([1, 1, 500, 375])).toEqual([0, 0, 500, 375]);
    expect(boxOfCorners([7, 9, 7, 9])).toEqual([6, 8, 1, 1]);
    expect(boxOfCorners([0, 0, 499, 254])).toEqual([0, 0, 499, 254]);
  });

  const entities = `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>`;
  it.each([
    ['nothing', '', /a.xml:1: .* no element/],
    ['text', 'no picture', /no element/],
    ['an open tag', '<annotation', /a tag without >/],
    ['an open comment', '<annotation><!-- ></annotation>', /a tag without -->/],
    ['an open element', '<annotation>\n<object>\n', /a.xml:3: .* no end of object/],
    ['crossed ends', '<annotation><object></annotation></object>', /the end of "annotation" out of place/],
    ['an end alone', '</annotation>', /out of place/],
    ['a document type', entities, /a declaration, which is not allowed/],
    ['an object without a box', '<annotation><object><name>x</name></object></annotation>', /xmin, ymin/],
    ['a corner that is no number', `<annotation>${object('x', 1, 2, 'three', 4)}</annotation>`, /"three"/],
    ['a tower of elements', '<a>'.repeat(300_000), /more than 16 elements/],
    ['a long name', `<${'a'.repeat(900_000)}>`, /a tag of 900000 characters/],
  ])('refuses %s', (_, xml, message) => {
    expect(() => parseVoc(xml, 'a.xml')).toThrow(message);
  });
});
