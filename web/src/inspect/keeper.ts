/** Whether who is signed in may raise a level and seal a part: the inspector and the archivist; others see, and change
 * nothing. The center judges each act all the same. */
import { api } from '../lib/api';

export async function isKeeper(): Promise<boolean> {
  const role = (await api.session().catch(() => null))?.role;
  return role === 'inspector' || role === 'archivist';
}
