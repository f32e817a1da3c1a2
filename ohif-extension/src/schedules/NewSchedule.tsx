import type { FormEvent, ReactNode } from 'react';
import { t } from '../i18n';
import type { NewScanSchedule } from '../sidecar/scanTypes';

export interface NewScheduleProps {
  readonly add: (schedule: NewScanSchedule) => Promise<void>;
  readonly cancel: () => void;
}

/** The form of a new schedule; what is wrong with the cron expression or the time zone the sidecar says. */
export function NewSchedule({ add, cancel }: NewScheduleProps): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string | undefined => String(form.get(name) ?? '').trim() || undefined;
    const most = Number(text('maxInstances') ?? 0);
    void add({
      name: text('name') ?? '',
      cron: text('cron') ?? '',
      timeZone: text('timeZone') ?? '',
      query: {
        ...(text('modality') ? { modality: text('modality')?.toUpperCase() } : {}),
        ...(text('station') ? { station: text('station') } : {}),
        ...(text('dateFrom') ? { dateFrom: text('dateFrom') } : {}),
        ...(text('dateTo') ? { dateTo: text('dateTo') } : {}),
        neverScanned: form.has('neverScanned'),
        olderEngine: form.has('olderEngine'),
      },
      ...(text('windowStart') ? { windowStart: text('windowStart') } : {}),
      ...(text('windowEnd') ? { windowEnd: text('windowEnd') } : {}),
      ...(most > 0 ? { maxInstances: most } : {}),
      enabled: true,
    });
  };
  return (
    <form onSubmit={submit} aria-label={t('schedules.add')}>
      <label>{t('schedules.name')}<input name="name" required maxLength={100} autoFocus /></label>
      <label>{t('schedules.cron')}<input name="cron" required defaultValue="0 22 * * *" size={14} /></label>
      <label>{t('schedules.timeZone')}<input name="timeZone" required defaultValue={Intl.DateTimeFormat().resolvedOptions().timeZone} /></label>
      <label>{t('schedules.windowStart')}<input type="time" name="windowStart" /></label>
      <label>{t('schedules.windowEnd')}<input type="time" name="windowEnd" /></label>
      <label>{t('schedules.maxInstances')}<input type="number" name="maxInstances" min={1} /></label>
      <label>{t('worklist.modality')}<input name="modality" size={6} /></label>
      <label>{t('worklist.station')}<input name="station" /></label>
      <label>{t('schedules.dateFrom')}<input type="date" name="dateFrom" /></label>
      <label>{t('schedules.dateTo')}<input type="date" name="dateTo" /></label>
      <label className="tick"><input type="checkbox" name="neverScanned" />{t('schedules.neverScanned')}</label>
      <label className="tick"><input type="checkbox" name="olderEngine" />{t('schedules.olderEngine')}</label>
      <button type="submit" className="main">{t('schedules.save')}</button>
      <button type="button" onClick={cancel}>{t('dialog.cancel')}</button>
    </form>
  );
}
