/**
 * A time zone where it is about noon. An account opened there at the real clock sees no day, week or month end
 * during a test, at whatever time the test runs.
 */
export function zoneAtNoon(): string {
  const ahead = 12 - new Date().getUTCHours();
  return ahead === 0 ? "UTC" : `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
}
