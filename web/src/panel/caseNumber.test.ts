import { expect, test } from 'vitest';
import { isBegun, titleOf, withDigit, withWord, withoutDigit } from './caseNumber';

const BEGIN = { year: 2026, court: '黑05', word: '民初' };

test('a number is put together by touch: type word, digits, and one digit back', () => {
  let number = withDigit('', '1', BEGIN);
  expect(number).toBe('(2026)黑05民初1号');
  number = withDigit(number, '0', BEGIN);
  number = withWord(number, '刑初', BEGIN);
  expect(number).toBe('(2026)黑05刑初10号');
  expect(withoutDigit(number, BEGIN)).toBe('(2026)黑05刑初1号');
  expect(withDigit('(2026)黑05刑初号', '0', BEGIN)).toBe('(2026)黑05刑初号');
  expect(withDigit('(2026)黑05刑初12345678号', '9', BEGIN)).toBe('(2026)黑05刑初12345678号');
});

test('what was typed of a number stays, and what is none begins anew', () => {
  expect(withWord('（2025）浙0106民初7', '民终', BEGIN)).toBe('(2025)浙0106民终7号');
  expect(withDigit('(2024)最高法知民终', '3', BEGIN)).toBe('(2024)最高法知民终3号');
  expect(withDigit('张三', '3', BEGIN)).toBe('(2026)黑05民初3号');
});

test('a beginning that nobody typed is no number yet', () => {
  expect([isBegun('(2026)黑05民初号'), isBegun('(2026)黑05民初1号'), isBegun('演示')]).toEqual([true, false, false]);
});

test('a title is made by the pattern of the kind', () => {
  expect(titleOf('{原告}诉{被告}{案由}一案', { 原告: '甲', 被告: '乙' }, '买卖合同纠纷')).toBe('甲诉乙买卖合同纠纷一案');
  expect(titleOf('{被告人}{案由}一案', { 被告人: '王五' }, '盗窃罪')).toBe('王五盗窃罪一案');
  expect(titleOf('{申请人}{案由}', {}, '听证')).toBe('听证');
});
