import { useEffect, useRef, useState, type ReactNode } from 'react';
import { t, tn } from '../i18n';
import { en } from '../i18n/en';

const reasons = ['notText', 'harmless', 'noPatientData', 'wanted'] as const;
const longestReason = 500;
const remembered = 'image-masking-reject-reason';

/** The audit is read by people of any language: a reason of the list is kept in English, whoever chose it. */
const stored = (reason: (typeof reasons)[number]): string => en[`reject.${reason}`];

/** A stored reason in the reader's language, where it is one of the list. */
export function describeReason(text: string): string {
  const listed = reasons.find(reason => stored(reason) === text);
  return listed ? t(`reject.${listed}`) : text;
}

export interface RejectFormProps {
  readonly findings: number;
  readonly busy: boolean;
  readonly confirm: (reason: string) => void;
  readonly cancel: () => void;
}

/** Asks why; Enter takes the reason that was given last. */
export function RejectForm({ findings, busy, confirm, cancel }: RejectFormProps): ReactNode {
  const last = localStorage.getItem(remembered) ?? '';
  const [chosen, setChosen] = useState<string>(reasons.find(reason => reason === last) ?? reasons[0]);
  const [other, setOther] = useState('');
  const form = useRef<HTMLFormElement>(null);
  const reason = reasons.find(candidate => candidate === chosen);
  const text = reason ? stored(reason) : other.trim();

  useEffect(() => void form.current?.querySelector<HTMLInputElement>('input:checked')?.focus(), []);

  return (
    <form
      ref={form}
      className="image-masking-reject"
      data-cy="image-masking-reject-form"
      onSubmit={event => {
        event.preventDefault();
        if (text && !busy) {
          if (reason) {
            localStorage.setItem(remembered, reason);
          }
          confirm(text);
        }
      }}
      onKeyDown={event => {
        // No key of the panel or of OHIF means anything here but the form's own.
        event.stopPropagation();
        if (event.key === 'Escape') {
          event.preventDefault();
          cancel();
        } else if (event.key === 'Enter' && (event.target as HTMLElement).matches('input[type="radio"]')) {
          event.preventDefault();
          form.current?.requestSubmit();
        }
      }}
    >
      <fieldset>
        <legend>{tn('reject.title', findings)}</legend>
        {[...reasons, 'other' as const].map(value => (
          <label key={value} className="image-masking-choice">
            <input type="radio" name="image-masking-reject-reason" value={value} checked={chosen === value} onChange={() => setChosen(value)} />
            <span>{t(`reject.${value}`)}</span>
          </label>
        ))}
      </fieldset>
      {!reason && (
        <label className="image-masking-reason">
          <span className="image-masking-quiet">{t('reject.other.hint')}</span>
          <textarea value={other} maxLength={longestReason} rows={2} autoFocus onChange={event => setOther(event.target.value)} />
        </label>
      )}
      <div className="image-masking-choices">
        <button type="submit" className="image-masking-button" data-cy="image-masking-reject-confirm" disabled={!text || busy}>
          {t('reject.confirm')}
        </button>
        <button type="button" className="image-masking-button" onClick={cancel}>
          {t('dialog.cancel')}
        </button>
      </div>
    </form>
  );
}
