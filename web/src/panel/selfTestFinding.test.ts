import { describe, expect, it } from 'vitest';
import type { SelfTestState, TestFinding } from '../lib/types';
import { findingDisplay } from './selfTestFinding';

const test = (state: SelfTestState['state']) => ({ state }) as SelfTestState;
const finding = (state: TestFinding['state']): TestFinding => ({ state, why: '' });

describe('a finding of the self-test', () => {
  it('proves nothing without a test that counts', () => {
    expect(findingDisplay(null, undefined)).toBe('untested');
    expect(findingDisplay(test('none'), finding('waiting'))).toBe('untested');
    expect(findingDisplay(test('expired'), finding('ok'))).toBe('untested');
    expect(findingDisplay(test('passed'), undefined)).toBe('untested');
  });
  it('is on its way while the test runs', () => {
    expect(findingDisplay(test('running'), finding('waiting'))).toBe('waiting');
    expect(findingDisplay(test('running'), finding('heard'))).toBe('heard');
    expect(findingDisplay(test('running'), finding('ok'))).toBe('ok');
  });
  it('has failed when the test is over and nobody proved it', () => {
    expect(findingDisplay(test('failed'), finding('waiting'))).toBe('failed');
    expect(findingDisplay(test('failed'), finding('heard'))).toBe('failed');
    expect(findingDisplay(test('passed'), finding('warn'))).toBe('warn');
    expect(findingDisplay(test('passed'), finding('ok'))).toBe('ok');
  });
});
