import { t } from '../i18n';
import { SidecarProblem } from '../sidecar/client';
import { sentenceOfProblem } from '../sidecar/sentences';

/** What went wrong, for the reader of a page. */
export function describe(error: unknown): string {
  if (error instanceof SidecarProblem && error.status === 401) {
    return t('page.problem.401');
  }
  const said = error instanceof SidecarProblem ? sentenceOfProblem(error) : error instanceof Error && error.message;
  return said || t('page.problem');
}

/** DICOM's YYYYMMDD as the reader writes dates; as it is where it is none. */
export function describeDate(date: string | null | undefined, language: string): string {
  const [, year, month, day] = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(date ?? '') ?? [];
  return year ? new Date(Number(year), Number(month) - 1, Number(day)).toLocaleDateString(language, { year: 'numeric', month: '2-digit', day: '2-digit' }) : (date ?? '');
}

/** "3 days", "2 hours", "5 minutes": how long ago, or for how long. */
export function describeDuration(seconds: number, language: string): string {
  const [unit, size] = seconds >= 172_800 ? (['day', 86_400] as const) : seconds >= 7_200 ? (['hour', 3_600] as const) : seconds >= 60 ? (['minute', 60] as const) : (['second', 1] as const);
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.floor(seconds / size));
}
