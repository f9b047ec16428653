/** A setting of a job as messages name it: `settings.batch`. */
export function settingName(path: readonly PropertyKey[]): string {
  return ['settings', ...path.map(String)].join('.');
}
