/** Words of the transcript and of editing it. */

export const zh = {
  'line.struck': '已删除',
  'line.doubtful': '存疑',
  'edit.merged': '这一行同时有别处的修改，已与您的文字合在一起，请核对。',
  'edit.nothing': '没有可以撤销的修改。',
  'edit.undo.late': '这一行之后又有修改，不能直接撤销；请在历史版本中查看。',
};

export const en: Record<keyof typeof zh, string> = {
  'line.struck': 'Struck',
  'line.doubtful': 'Doubtful',
  'edit.merged': 'This line was also changed elsewhere; both changes are in your text now. Please check it.',
  'edit.nothing': 'There is nothing to undo.',
  'edit.undo.late': 'The line was changed again since, so this cannot simply be undone; see its versions.',
};
