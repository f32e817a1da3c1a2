import { afterEach, expect, test } from 'vitest';
import { language, t, tn } from '../src/i18n';
import { de } from '../src/i18n/de';
import { en } from '../src/i18n/en';

afterEach(() => {
  localStorage.clear();
  document.cookie = 'i18next=; max-age=0';
});

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1] ?? '').sort();

test('both languages have the same keys, none empty', () => {
  expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
  expect([...Object.values(en), ...Object.values(de)].filter(text => text.trim() === '')).toEqual([]);
});

test('each message has the same placeholders in both languages', () => {
  const keys = Object.keys(en) as (keyof typeof en)[];
  expect(keys.map(key => [key, ...placeholders(de[key])])).toEqual(keys.map(key => [key, ...placeholders(en[key])]));
});

test('each plural has both forms', () => {
  const stems = (suffix: string): string[] => Object.keys(en).flatMap(key => (key.endsWith(suffix) ? [key.slice(0, -suffix.length)] : []));
  expect(stems('_one')).toEqual(stems('_other'));
});

test("the language is OHIF's choice, then the browser's", () => {
  expect(language()).toBe('en');
  localStorage.setItem('i18nextLng', 'de-DE');
  expect(language()).toBe('de');
  expect(t('dialog.apply')).toBe('Maske anwenden');
  document.cookie = 'i18next=en-US';
  expect(language()).toBe('en');
});

test('numbers choose their form', () => {
  expect(tn('dialog.images', 1)).toBe('1 image');
  expect(tn('dialog.images', 1200)).toBe('1,200 images');
  localStorage.setItem('i18nextLng', 'de');
  expect(tn('dialog.images', 1200)).toBe('1.200 Bilder');
});
