import { createRoot } from 'react-dom/client';
import { language, t } from '../i18n';
import { createAuditClient } from '../sidecar/client';
import { createPageClient } from '../sidecar/pageClient';
import { logIn, type LoginSettings } from './logIn';
import styles from './page.css';
import { Pages } from './Pages';

declare global {
  interface Window {
    readonly sidecarLogin: LoginSettings;
  }
}

document.documentElement.lang = language();
const root = createRoot(document.getElementById('page') as HTMLElement);
const style = document.createElement('style');
style.textContent = styles;
document.head.append(style);

try {
  const token = await logIn(window.sidecarLogin, { location, history, storage: sessionStorage, fetch: (...args) => fetch(...args) });
  if (token) {
    const options = { authorization: () => ({ Authorization: `Bearer ${token}` }) };
    root.render(<Pages client={createPageClient(options)} audit={createAuditClient(options)} />);
  }
} catch (problem) {
  root.render(
    <main>
      <h1>{t('page.login')}</h1>
      <p role="alert">{problem instanceof Error ? problem.message : String(problem)}</p>
    </main>,
  );
}
