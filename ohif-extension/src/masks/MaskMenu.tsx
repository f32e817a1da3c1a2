import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { useObservable } from '../host/observable';
import { t } from '../i18n';
import { currentSession, type MaskingSession } from '../session';
import { MaskIcon } from './MaskIcon';

interface Entry {
  readonly cy: string;
  readonly label: string;
  readonly hint: string;
  readonly disabled: boolean;
  readonly checked?: boolean;
  readonly command: string;
}

/** The toolbar's Mask entry: a button whose menu opens on hover, click, and by keyboard. */
export function MaskMenu({ run }: { readonly run: (command: string) => void }): ReactNode {
  const session = useObservable(currentSession);
  return session && <OpenableMenu session={session} run={run} />;
}

function OpenableMenu({ session, run }: { readonly session: MaskingSession; readonly run: (command: string) => void }): ReactNode {
  const target = useObservable(session.target);
  const drawing = useObservable(session.drawing);
  useObservable(session.masks.masks);
  const [open, setOpen] = useState<'hover' | 'focus' | null>(null);
  const [place, setPlace] = useState({ left: 0, top: 0 });
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const closing = useRef<ReturnType<typeof setTimeout>>();
  const menuId = useId();

  const masks = session.openMasksOf(target.image).length;
  const why = target.why && t(target.why);
  const whyNoMasks = why ?? (masks === 0 ? t('why.noMasks') : undefined);
  const entries: readonly Entry[] = [
    { cy: 'image-masking-draw', label: t('menu.draw'), hint: why ?? t('menu.draw.hint'), disabled: Boolean(why), checked: drawing, command: 'imageMaskingDraw' },
    { cy: 'image-masking-approve', label: t('menu.approve'), hint: whyNoMasks ?? t('menu.approve.hint'), disabled: Boolean(whyNoMasks), command: 'imageMaskingApprove' },
    { cy: 'image-masking-clear', label: t('menu.clear'), hint: whyNoMasks ?? t('menu.clear.hint'), disabled: Boolean(whyNoMasks), command: 'imageMaskingClear' },
  ];

  useLayoutEffect(() => {
    const box = button.current?.getBoundingClientRect();
    if (open && box) {
      setPlace({ left: Math.min(box.left, window.innerWidth - 300), top: box.bottom + 4 });
    }
  }, [open]);

  useEffect(() => {
    if (open === 'focus') {
      menu.current?.querySelector<HTMLElement>('[role^="menuitem"]')?.focus();
    }
  }, [open]);

  useEffect(() => () => clearTimeout(closing.current), []);

  const close = (): void => {
    clearTimeout(closing.current);
    setOpen(null);
  };
  const closeSoon = (): void => {
    clearTimeout(closing.current);
    closing.current = setTimeout(() => setOpen(now => (now === 'hover' ? null : now)), 250);
  };
  const openByHover = (): void => {
    clearTimeout(closing.current);
    setOpen(now => now ?? 'hover');
  };

  const choose = (entry: Entry): void => {
    if (!entry.disabled) {
      close();
      button.current?.focus();
      run(entry.command);
    }
  };

  const onMenuKey = (event: KeyboardEvent): void => {
    const items = [...(menu.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const go = (index: number): void => items[(index + items.length) % items.length]?.focus();
    switch (event.key) {
      case 'ArrowDown':
        go(at + 1);
        break;
      case 'ArrowUp':
        go(at < 0 ? -1 : at - 1);
        break;
      case 'Home':
        go(0);
        break;
      case 'End':
        go(-1);
        break;
      case 'Escape':
        close();
        button.current?.focus();
        break;
      case 'Tab':
        close();
        return;
      // They press the item; OHIF's hot keys at the document would cancel them. The menu hangs outside the bridged element.
      case 'Enter':
      case ' ':
        event.stopPropagation();
        return;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className="image-masking-menu" onMouseEnter={openByHover} onMouseLeave={closeSoon}>
      <button
        ref={button}
        type="button"
        className={drawing ? 'image-masking-toolbar-button image-masking-active' : 'image-masking-toolbar-button'}
        data-cy="image-masking-button"
        data-active={drawing}
        aria-haspopup="menu"
        aria-expanded={open !== null}
        aria-controls={open ? menuId : undefined}
        onClick={() => (open === 'focus' ? close() : setOpen('focus'))}
        onKeyDown={event => {
          if (event.key === 'ArrowDown') {
            event.preventDefault();
            setOpen('focus');
          } else if (event.key === 'Escape' && open) {
            event.stopPropagation();
            close();
          }
        }}
      >
        <MaskIcon />
        <span>{t('mask')}</span>
        {masks > 0 && <span className="image-masking-badge">{masks}</span>}
      </button>
      {open &&
        createPortal(
          <div
            ref={menu}
            id={menuId}
            role="menu"
            aria-label={t('menu.label')}
            data-cy="image-masking-menu"
            className="image-masking-popup"
            style={place}
            onKeyDown={onMenuKey}
            onMouseEnter={openByHover}
            onMouseLeave={closeSoon}
            onBlur={event => {
              if (!event.currentTarget.contains(event.relatedTarget) && event.relatedTarget !== button.current) {
                setOpen(now => (now === 'focus' ? null : now));
              }
            }}
          >
            {entries.map(entry => (
              <button
                key={entry.cy}
                type="button"
                tabIndex={-1}
                role={entry.checked === undefined ? 'menuitem' : 'menuitemradio'}
                aria-checked={entry.checked}
                aria-disabled={entry.disabled}
                aria-describedby={`${menuId}-${entry.cy}`}
                aria-label={entry.label}
                title={entry.hint}
                data-cy={entry.cy}
                className="image-masking-item"
                onClick={() => choose(entry)}
              >
                <span className="image-masking-item-label">{entry.label}</span>
                <span id={`${menuId}-${entry.cy}`} className="image-masking-item-hint">
                  {entry.hint}
                </span>
              </button>
            ))}
          </div>,
          document.body,
        )}
    </div>
  );
}
