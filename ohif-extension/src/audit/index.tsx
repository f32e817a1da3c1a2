import { createRoot } from 'react-dom/client';
import { createAuditClient } from '../sidecar/client';
import { AuditTable } from './AuditTable';
import styles from './audit.css';
import { logIn, type LoginSettings } from './logIn';

declare global {
  interface Window {
    readonly sidecarLogin: LoginSettings;
  }
}

const root = createRoot(document.getElementById('audit') as HTMLElement);
const style = document.createElement('style');
style.textContent = styles;
document.head.append(style);

try {
  const token = await logIn(window.sidecarLogin, { location, history, storage: sessionStorage, fetch: (...args) => fetch(...args) });
  if (token) {
    root.render(<AuditTable client={createAuditClient({ authorization: () => ({ Authorization: `Bearer ${token}` }) })} />);
  }
} catch (problem) {
  root.render(
    <main>
      <h1>Audit</h1>
      <p role="alert">{problem instanceof Error ? problem.message : String(problem)}</p>
    </main>,
  );
}
