/** The address of the page, as its parts watch it and change it (`adminAddress.ts`). */

class AdminRoute {
  hash = $state.raw(window.location.hash);

  constructor() {
    window.addEventListener('hashchange', () => (this.hash = window.location.hash));
  }

  /** Another page: the way back leads here. */
  go(href: string): void {
    window.location.hash = href;
  }

  /** The same page, asked otherwise: typing a search leaves no trail of letters. */
  replace(href: string): void {
    history.replaceState(history.state, '', href);
    this.hash = window.location.hash;
  }
}

export const adminRoute = new AdminRoute();
