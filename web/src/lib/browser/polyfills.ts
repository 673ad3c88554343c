/** Functions that the pages use and the least browsers lack, from core-js; what is there is left as it is.
 *
 * browsers/checkBuild.js reads this list, and refuses what is used, newer than the least browsers and not in it.
 */

import 'core-js/stable/array/at';
import 'core-js/stable/array/find-last';
import 'core-js/stable/array/find-last-index';
import 'core-js/stable/array/to-reversed';
