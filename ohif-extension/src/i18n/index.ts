import { de } from './de';
import { en } from './en';

export type MessageKey = keyof typeof en;
/** A key with the forms `_one` and `_other`. */
export type PluralKey = MessageKey extends infer K ? (K extends `${infer Stem}_other` ? Stem : never) : never;
export type Language = 'en' | 'de';

const messages: Record<Language, Record<MessageKey, string>> = { en, de };

/**
 * The language OHIF shows. Its i18next is not reachable from an extension, so this looks where OHIF's own detector looks
 * and keeps its choice: `?lng=`, the cookie `i18next`, `i18nextLng` in the local storage, then the browser.
 */
export function language(): Language {
  const chosen =
    new URLSearchParams(location.search).get('lng') ??
    /(?:^|;\s*)i18next=([^;]*)/.exec(document.cookie)?.[1] ??
    localStorage.getItem('i18nextLng') ??
    navigator.language;
  return chosen.toLowerCase().startsWith('de') ? 'de' : 'en';
}

type Values = Readonly<Record<string, string | number>>;

export function t(key: MessageKey, values: Values = {}): string {
  return messages[language()][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The form for a number, with `{count}` filled in. */
export function tn(key: PluralKey, count: number, values: Values = {}): string {
  return t(`${key}_${count === 1 ? 'one' : 'other'}` as MessageKey, { count: count.toLocaleString(language()), ...values });
}
