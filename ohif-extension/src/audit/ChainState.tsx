import { useCallback, useEffect, useState, type ReactNode } from 'react';
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
    <section aria-label="State of the chain" className={`chain ${kindOf(state)}`}>
      <div role={kindOf(state) === 'bad' ? 'alert' : 'status'}>
        <strong>{titleOf(state)}</strong>
        <p>{explain(state)}</p>
      </div>
      <button type="button" onClick={() => check()} disabled={state === 'checking'}>Check again</button>
    </section>
  );
}

function kindOf(state: State): 'checking' | 'good' | 'bad' {
  return state === 'checking' ? 'checking' : 'chain' in state && state.chain.holds ? 'good' : 'bad';
}

function titleOf(state: State): string {
  if (state === 'checking') {
    return 'Checking the chain…';
  }
  return 'problem' in state ? 'The chain could not be checked' : state.chain.holds ? 'The chain holds' : 'The chain is broken';
}

function explain(state: State): string {
  if (state === 'checking') {
    return 'Every hash is computed again.';
  }
  if ('problem' in state) {
    return state.problem;
  }
  const { chain, at } = state;
  if (!chain.holds) {
    return `${chain.fault ?? ''} ${chain.rows} rows before it hold. Keep the database as it is and tell whoever is responsible for its security.`;
  }
  const witness = chain.checkpoints > 0
    ? `${chain.checkpoints} ${chain.signed ? 'signed ' : ''}checkpoints kept elsewhere agree.`
    : 'No checkpoints are kept elsewhere, so rows removed at the end could go unnoticed.';
  return `${chain.rows} rows, checked ${at.toLocaleTimeString()}. ${witness}`;
}
