import { Observable } from '../host/observable';
import type { Tokens } from './logIn';

/** Renewed so long before its end, or after half its life where that is shorter: a request may take a while. */
const marginSeconds = 60;

/**
 * The log-in of the pages for as long as they are open. The access token is renewed before its end with the refresh token, where the identity provider gave one. Both
 * are kept in memory only.
 */
export class Session {
  /** The identity provider or the sidecar has said that this log-in is over. */
  readonly ended = new Observable(false);

  private renewAt: number;
  private renewing: Promise<void> | undefined;

  /** @param renew Exchanges a refresh token; undefined where the identity provider refuses, and throws where it does not answer. */
  constructor(
    private tokens: Tokens,
    private readonly renew: (refreshToken: string) => Promise<Tokens | undefined>,
    private readonly now: () => number = Date.now,
  ) {
    this.renewAt = this.whenToRenew();
  }

  /** The header of the next request. */
  async authorization(): Promise<Record<string, string>> {
    const { refresh_token: refreshToken } = this.tokens;
    if (refreshToken && this.now() >= this.renewAt) {
      this.renewing ??= this.take(refreshToken).finally(() => (this.renewing = undefined));
      await this.renewing;
    }
    return { Authorization: `Bearer ${this.tokens.access_token}` };
  }

  /** Whether the sidecar still believes the token. */
  heard(status: number): void {
    if (status === 401) {
      this.ended.set(true);
    }
  }

  private async take(refreshToken: string): Promise<void> {
    let answer: Tokens | undefined;
    try {
      answer = await this.renew(refreshToken);
    } catch {
      return; // The token may still be good; the next request tries again.
    }
    if (answer) {
      // Providers that do not change the refresh token at each use need not send it again (RFC 6749, 6).
      this.tokens = { refresh_token: refreshToken, ...answer };
      this.renewAt = this.whenToRenew();
    } else {
      this.tokens = { ...this.tokens, refresh_token: undefined };
      this.ended.set(true);
    }
  }

  private whenToRenew(): number {
    const { expires_in: seconds } = this.tokens;
    return seconds === undefined ? Infinity : this.now() + 1000 * Math.max(seconds - marginSeconds, seconds / 2);
  }
}
