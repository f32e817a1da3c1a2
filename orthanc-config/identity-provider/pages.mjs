// Three plain pages. Each says that this is a demo, so that nobody types a real password here.
const page = (title, body) => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #090c29; color: #e8eaf6; font: 16px/1.5 system-ui, sans-serif; }
  main { width: min(22rem, 90vw); }
  h1 { font-size: 1.4rem; }
  label { display: block; margin-top: 1rem; }
  input { box-sizing: border-box; width: 100%; padding: .6rem; margin-top: .3rem; font: inherit; color: inherit; background: #161b45; border: 1px solid #5a68c8; border-radius: 4px; }
  button { margin-top: 1.5rem; width: 100%; padding: .7rem; font: inherit; color: #fff; background: #3949ab; border: 0; border-radius: 4px; cursor: pointer; }
  button.plain { background: none; border: 1px solid #5a68c8; margin-top: .7rem; }
  :focus-visible { outline: 2px solid #8c9eff; outline-offset: 2px; }
  .demo { color: #b4bcf0; font-size: .9rem; }
  .wrong { padding: .6rem; border-left: 4px solid #ef5350; background: #2a1530; }
</style>
</head>
<body><main>
${body}
<p class="demo">This is the demo's login with invented users. Never type a real password here.</p>
</main></body>
</html>`;

export const loginPage = (uid, problem) => page('Demo login', `<h1>Log in to the demo</h1>
${problem ? `<p class="wrong" role="alert">${problem}</p>` : ''}
<form method="post" action="/login/${encodeURIComponent(uid)}" autocomplete="off">
  <label>Name <input name="login" required autofocus autocapitalize="none" spellcheck="false"></label>
  <label>Password <input name="password" type="password" required></label>
  <button type="submit">Log in</button>
</form>`);

export function logoutPage(ctx, form) {
  ctx.body = page('Log out', `<h1>Log out of the demo?</h1>
${form}
<button autofocus type="submit" form="op.logoutForm" value="yes" name="logout">Log out</button>
<button class="plain" type="submit" form="op.logoutForm">Stay logged in</button>`);
}

export function signedOutPage(ctx) {
  ctx.body = page('Logged out', '<h1>You are logged out.</h1>');
}
