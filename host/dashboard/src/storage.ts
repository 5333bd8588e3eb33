/** What is stored on this device: the token, colours, and whether pictures are shown. */

const TOKEN = "heat-token";

/** Browsers may forbid both; then nothing is remembered, and all works until the page is closed. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

export function stored(key: string): string | null {
  return attempt(() => localStorage.getItem(key));
}

export function store(key: string, value: string): void {
  attempt(() => localStorage.setItem(key, value));
}

export function token(): string | null {
  return attempt(() => sessionStorage.getItem(TOKEN)) ?? stored(TOKEN);
}

export function isRemembered(): boolean {
  return stored(TOKEN) !== null;
}

/** `remember`: beyond this tab. */
export function setToken(value: string, remember: boolean): void {
  forgetToken();
  attempt(() => (remember ? localStorage : sessionStorage).setItem(TOKEN, value));
}

export function forgetToken(): void {
  attempt(() => sessionStorage.removeItem(TOKEN));
  attempt(() => localStorage.removeItem(TOKEN));
}
