/** Which page is open, as the address says (`address.ts`). */

import { parseRoute, type Route } from './address';

class Router {
  route = $state.raw<Route>(parseRoute(window.location.hash));

  constructor() {
    window.addEventListener('hashchange', () => (this.route = parseRoute(window.location.hash)));
  }
}

export const router = new Router();
