import { createRoot } from 'react-dom/client';
import { language, t } from '../i18n';
import { createAuditClient } from '../sidecar/client';
import { createPageClient } from '../sidecar/pageClient';
import { logIn, renewTokens, type LoginSettings } from './logIn';
import styles from './page.css';
import { Pages } from './Pages';
import { Session } from './Session';

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
  const page = { location, history, storage: sessionStorage, fetch: ((...args) => fetch(...args)) as typeof globalThis.fetch };
  const tokens = await logIn(window.sidecarLogin, page);
  if (tokens) {
    const session = new Session(tokens, refreshToken => renewTokens(window.sidecarLogin, page, refreshToken));
    const options = { authorization: () => session.authorization(), heard: (status: number) => session.heard(status) };
    root.render(<Pages client={createPageClient(options)} audit={createAuditClient(options)} ended={session.ended} logInAgain={() => location.reload()} />);
  }
} catch (problem) {
  root.render(
    <main>
      <h1>{t('page.login')}</h1>
      <p role="alert">{problem instanceof Error ? problem.message : String(problem)}</p>
    </main>,
  );
}
