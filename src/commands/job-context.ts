/** What every job's process gets to know of its service. */
export interface JobContext {
  /** Folder of ensembles: where jobs start from, and where they write to. */
  readonly weightsDir: string;
  /** Folder of data sets; jobs need it. */
  readonly datasetsDir?: string;
  readonly engine: 'auto' | 'onednn' | 'onnx';
  readonly onednnLibrary?: string;
  /** Most cores that a job may take. */
  readonly threads: number;
}
