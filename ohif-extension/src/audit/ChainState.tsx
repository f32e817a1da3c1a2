import { useCallback, useEffect, useState, type ReactNode } from 'react';
import { language, t } from '../i18n';
import type { AuditClient } from '../sidecar/client';
import type { AuditChainView } from '../sidecar/types';

type State = 'checking' | { readonly chain: AuditChainView; readonly at: Date } | { readonly problem: string };

/** Whether the chain holds: checked when the page opens, and again when asked. */
export function ChainState({ client, describe }: { readonly client: AuditClient; readonly describe: (error: unknown) => string }): ReactNode {
  const [state, setState] = useState<State>('checking');
  const check = useCallback(
    (signal?: AbortSignal) => {
      setState('checking');
      client.chain(signal).then(
        chain => setState({ chain, at: new Date() }),
        (error: unknown) => !signal?.aborted && setState({ problem: describe(error) }),
      );
    },
    [client, describe],
  );
  useEffect(() => {
    const leave = new AbortController();
    check(leave.signal);
    return () => leave.abort();
  }, [check]);

  return (
    <section aria-label={t('chain.label')} className={`chain ${kindOf(state)}`}>
      <div role={kindOf(state) === 'bad' ? 'alert' : 'status'}>
        <strong>{titleOf(state)}</strong>
        <p>{explain(state)}</p>
      </div>
      <button type="button" onClick={() => check()} disabled={state === 'checking'}>{t('chain.again')}</button>
    </section>
  );
}

function kindOf(state: State): 'checking' | 'good' | 'bad' {
  return state === 'checking' ? 'checking' : 'chain' in state && state.chain.holds ? 'good' : 'bad';
}

function titleOf(state: State): string {
  if (state === 'checking') {
    return t('chain.checking');
  }
  return t('problem' in state ? 'chain.unchecked' : state.chain.holds ? 'chain.holds' : 'chain.broken');
}

function explain(state: State): string {
  if (state === 'checking') {
    return t('chain.checking.what');
  }
  if ('problem' in state) {
    return state.problem;
  }
  const { chain, at } = state;
  if (!chain.holds) {
    return t('chain.broken.what', { fault: chain.fault ?? '', rows: chain.rows.toLocaleString(language()) });
  }
  const witness = chain.checkpoints > 0
    ? t(chain.signed ? 'chain.signed' : 'chain.unsigned', { count: chain.checkpoints.toLocaleString(language()) })
    : t('chain.noWitness');
  return `${t('chain.rows', { rows: chain.rows.toLocaleString(language()), time: at.toLocaleTimeString(language()) })} ${witness}`;
}
