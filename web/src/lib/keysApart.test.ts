import { expect, test } from 'vitest';
import { keysApart } from './tracks';

const slow = { id: 'bench', mime: '', state: 'running', long_keys_s: 50 } as const;

test('key frames that are far apart are said of a track that runs, as far as that is known', () => {
  expect(keysApart({ tracks: [slow] }, 'bench')).toBe(50);
  expect(keysApart({ tracks: [{ ...slow, state: 'failed' }] }, 'bench')).toBeNull();
  expect(keysApart({ tracks: [{ id: 'bench', mime: '', state: 'running' }] }, 'bench')).toBeNull();
  expect(keysApart({ tracks: [slow] }, 'parties')).toBeNull();
  expect(keysApart(undefined, 'bench')).toBeNull();
});
