/** Words of the screen for the parties and the public in the courtroom. */

export const zh = {
  'display.notice': '本次庭审正在录音录像',
  'display.withheld': '本次庭审已停止查阅',
  'display.sealed': '本阶段内容不在大屏显示',
  'display.recess': '休庭',
  'display.recess.text': '庭审暂停，请耐心等候',
  'display.idle': '尚未开庭',
  'display.closed': '庭审结束',
  'display.discipline': '请遵守法庭纪律，将手机调至静音，未经许可不得录音、录像、拍照',
  'display.lost': '正在重新连接…',
  'display.token': '此屏幕的链接无效。请从管理员处取得新的屏幕链接。',
  'display.exhibit': '证据{number}',
} as const;

export const en: Record<keyof typeof zh, string> = {
  'display.notice': 'This hearing is being recorded',
  'display.withheld': 'This hearing may not be viewed',
  'display.sealed': 'Nothing of this part is shown on the screen',
  'display.recess': 'Recess',
  'display.recess.text': 'The hearing is in recess. Please wait.',
  'display.idle': 'The hearing has not started',
  'display.closed': 'The hearing has ended',
  'display.discipline':
    'Please observe courtroom rules and silence your phone. Recording, filming, and photography are prohibited without permission.',
  'display.lost': 'Reconnecting…',
  'display.token': 'The link for this screen is not valid. Ask the administrator for a new link.',
  'display.exhibit': 'Exhibit {number}',
};
