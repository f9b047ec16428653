export type Vector3 = readonly [number, number, number];
export type Matrix3 = readonly [Vector3, Vector3, Vector3];

export interface Eigensystem3 {
  /** Largest first. */
  readonly values: Vector3;
  /** Unit vectors, one for each value; the component of largest magnitude is positive, so that the sign is determined. */
  readonly vectors: Matrix3;
}

/** Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations. */
export function eigenSymmetric3(matrix: Matrix3): Eigensystem3 {
  const a = matrix.map((row) => [...row]);
  /** Column k belongs to eigenvalue a[k][k]. */
  const v = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  // Convergence is quadratic: five sweeps are enough for doubles, the bound is for matrices that are not numbers.
  for (let sweep = 0; sweep < 16 && offDiagonal(a) > 0; sweep++) {
    rotate(a, v, 0, 1);
    rotate(a, v, 0, 2);
    rotate(a, v, 1, 2);
  }
  const order = [0, 1, 2].sort((i, j) => a[j]![j]! - a[i]![i]!);
  return {
    values: order.map((k) => a[k]![k]!) as [number, number, number],
    vectors: order.map((k) => withSign(v.map((row) => row[k]!))) as [Vector3, Vector3, Vector3],
  };
}

// --- helpers ---

/** Makes a[p][q] zero by a rotation in the plane of axes p and q. */
function rotate(a: number[][], v: number[][], p: number, q: number): void {
  const apq = a[p]![q]!;
  if (apq === 0) return;
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * apq);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  for (const row of [...a, ...v]) mix(row, p, q, cosine, sine);
  const [rowP, rowQ] = [a[p]!, a[q]!];
  for (let k = 0; k < 3; k++) {
    const [x, y] = [rowP[k]!, rowQ[k]!];
    rowP[k] = cosine * x - sine * y;
    rowQ[k] = sine * x + cosine * y;
  }
  rowP[q] = 0;
  rowQ[p] = 0;
}

function mix(row: number[], p: number, q: number, cosine: number, sine: number): void {
  const [x, y] = [row[p]!, row[q]!];
  row[p] = cosine * x - sine * y;
  row[q] = sine * x + cosine * y;
}

/** Sum of squares off the diagonal; 0 once it no longer counts beside the diagonal. */
function offDiagonal(a: number[][]): number {
  const off = a[0]![1]! ** 2 + a[0]![2]! ** 2 + a[1]![2]! ** 2;
  const diagonal = a[0]![0]! ** 2 + a[1]![1]! ** 2 + a[2]![2]! ** 2;
  return off <= diagonal * Number.EPSILON ** 2 ? 0 : off;
}

function withSign(vector: number[]): Vector3 {
  const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  const sign = largest < 0 ? -1 : 1;
  return vector.map((value) => sign * value) as [number, number, number];
}
