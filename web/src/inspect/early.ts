/** The first script of the inspection pages (`browsers/earlyPlugin.js`). */

import { earlyCenter } from './earlyCenter';

earlyCenter.begin();
