import { describe, expect, it } from 'vitest';
import type { SelfTestState, TestFinding } from '../lib/types';
import { shown } from './finding';

const test = (state: SelfTestState['state']) => ({ state }) as SelfTestState;
const finding = (state: TestFinding['state']): TestFinding => ({ state, why: '' });

describe('a finding of the self-test', () => {
  it('proves nothing without a test that counts', () => {
    expect(shown(null, undefined)).toBe('untested');
    expect(shown(test('none'), finding('waiting'))).toBe('untested');
    expect(shown(test('expired'), finding('ok'))).toBe('untested');
    expect(shown(test('passed'), undefined)).toBe('untested');
  });
  it('is on its way while the test runs', () => {
    expect(shown(test('running'), finding('waiting'))).toBe('waiting');
    expect(shown(test('running'), finding('heard'))).toBe('heard');
    expect(shown(test('running'), finding('ok'))).toBe('ok');
  });
  it('has failed when the test is over and nobody proved it', () => {
    expect(shown(test('failed'), finding('waiting'))).toBe('failed');
    expect(shown(test('failed'), finding('heard'))).toBe('failed');
    expect(shown(test('passed'), finding('warn'))).toBe('warn');
    expect(shown(test('passed'), finding('ok'))).toBe('ok');
  });
});
