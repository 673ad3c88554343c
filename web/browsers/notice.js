/* The first script of each page: it says in words what keeps the page from working in this browser.
 *
 * Written so that browsers of 2009 can read it: no word of the language that is newer, and nothing loaded. The page's own
 * modules follow it. When the browser is older than the least version or lacks what nothing can do without, the notice
 * takes the page's place and no module starts; the person may go on all the same when only the version speaks against it.
 * When the page fails to start for another reason, the notice says that reason.
 */
(function (window, document) {
  'use strict';

  var LEAST = __LEAST__;
  var ANYWAY = 'wutong.anyway';
  var failure = '';

  function number(pattern) {
    var found = pattern.exec(window.navigator.userAgent);
    return found ? Number(found[1]) : 0;
  }

  /** Which engine this is; `least` is 0 for one of which no least version is known. */
  function engine() {
    var version;
    if (document.documentMode || number(/(?:MSIE |Trident\/)(\d+)/)) {
      return { name: 'Internet Explorer', version: document.documentMode || number(/MSIE (\d+)/), least: Infinity };
    }
    if ((version = number(/Firefox\/(\d+)/))) return { name: 'Firefox', version: version, least: LEAST.firefox };
    if ((version = number(/Chrom(?:e|ium)\/(\d+)/))) return { name: 'Chromium', version: version, least: LEAST.chrome };
    return { name: '', version: 0, least: 0 };
  }

  /** Is there a store that the page may write to? Some settings refuse it by an error at the mere mention. */
  function stores(name) {
    try {
      window[name].setItem('wutong.probe', '1');
      window[name].removeItem('wutong.probe');
      return true;
    } catch (error) {
      return !!error && /quota/i.test(String(error.name)); // a full one is there all the same
    }
  }

  /** What the page cannot do without and this browser lacks. */
  function lacking() {
    var names = ['Promise', 'Proxy', 'Map', 'WeakMap', 'Symbol', 'BigInt', 'fetch', 'URL', 'URLSearchParams', 'FormData'];
    var missing = [];
    var i;
    names = names.concat(['AbortController', 'WebSocket', 'ResizeObserver', 'DataView', 'crypto']);
    for (i = 0; i < names.length; i += 1) {
      if (!window[names[i]]) missing.push(names[i]);
    }
    if (!('noModule' in document.createElement('script'))) missing.push('JavaScript modules');
    if (!window.CSS || !window.CSS.supports || !window.CSS.supports('display', 'grid')) missing.push('CSS grid');
    if (!stores('localStorage')) missing.push('localStorage');
    if (!stores('sessionStorage')) missing.push('sessionStorage');
    return missing;
  }

  function goesOn() {
    return window.sessionStorage.getItem(ANYWAY) === window.navigator.userAgent;
  }

  function add(parent, tag, text, style, lang) {
    var element = document.createElement(tag);
    if (text) element.appendChild(document.createTextNode(text));
    if (style) element.style.cssText = style;
    if (lang) element.setAttribute('lang', lang);
    parent.appendChild(element);
    return element;
  }

  /** `blocks`: [language, heading, paragraphs]. `more`: words for whoever looks after the machine. */
  function show(blocks, more, anyway) {
    var body = document.body;
    var main;
    var box;
    var i;
    var j;
    while (body.firstChild) body.removeChild(body.firstChild);
    body.style.cssText = 'margin:0;background:#0d1218;color:#e9eef4;font:18px/1.7 "Noto Sans CJK SC","Microsoft YaHei",SimSun,sans-serif';
    main = add(body, 'div');
    main.setAttribute('role', 'main');
    box = add(main, 'div', '', 'max-width:760px;margin:0 auto;padding:40px 24px');
    box.id = 'notice';
    box.setAttribute('role', 'alert');
    for (i = 0; i < blocks.length; i += 1) {
      add(box, i === 0 ? 'h1' : 'h2', blocks[i][1], 'margin:0 0 12px;font-size:' + (i === 0 ? '28px' : '20px'), blocks[i][0]);
      for (j = 0; j < blocks[i][2].length; j += 1) add(box, 'p', blocks[i][2][j], 'margin:0 0 10px', blocks[i][0]);
      add(box, 'div', '', 'height:20px');
    }
    if (anyway) {
      add(box, 'button', '仍要打开 Open anyway', 'min-height:48px;padding:0 20px;font:inherit').onclick = function () {
        window.sessionStorage.setItem(ANYWAY, window.navigator.userAgent);
        window.location.reload();
      };
    }
    add(box, 'p', more, 'margin:24px 0 0;color:#b3c0ce;font-size:14px;word-break:break-all');
  }

  function when(ready) {
    function look() {
      if (document.readyState === 'loading' || !document.body) return;
      document.onreadystatechange = null;
      ready();
    }
    // As soon as the page is read, which is before its modules run.
    document.onreadystatechange = look;
    look();
  }

  function inRoom() {
    return /^\/(panel|display)/.test(window.location.pathname);
  }

  function refuse(is, missing) {
    var zh = [];
    var en = [];
    var old = is.version < is.least;
    var ie = is.least === Infinity;
    var forbidden = !old && /Storage/.test(missing.join());
    var dual = '如果这是 360、奇安信等双核浏览器：请点地址栏右侧的图标，从“兼容模式”换成“极速模式”，再刷新本页。';
    if (ie) {
      zh.push('当前浏览器：IE 内核' + (is.version ? ' ' + is.version : '') + '（兼容模式），本系统不支持。', dual);
      en.push('This browser: Internet Explorer engine' + (is.version ? ' ' + is.version : '') + ' (compatibility mode), not supported.');
      en.push('360, Qi An Xin and others have two engines: switch from compatibility mode to speed mode beside the address, then reload.');
    } else if (old) {
      zh.push('当前浏览器：' + is.name + ' 内核 ' + is.version + '；最低要求：' + is.name + ' 内核 ' + is.least + '。');
      en.push('This browser: ' + is.name + ' ' + is.version + '. The least version: ' + is.name + ' ' + is.least + '.');
    }
    if (missing.length && !ie) {
      zh.push('缺少或被禁用的功能：' + missing.join('、') + '。');
      en.push('Missing or switched off: ' + missing.join(', ') + '.');
    }
    if (forbidden) {
      zh.push('浏览器禁止本页保存数据：请在浏览器设置中允许本站使用 Cookie 和网站数据，再刷新本页。');
      en.push('The browser forbids this page to keep data: allow cookies and site data for this address, then reload.');
    }
    if (!forbidden) zh.push('请安装或升级其中之一：Chromium 内核 ' + LEAST.chrome + ' 或更高版本的浏览器（360、奇安信、统信 UOS、Edge、Chrome 等，使用极速模式），' +
      '或 Firefox ' + LEAST.firefox + ' 或更高版本。不能自行安装时，请联系系统管理员。');
    if (!forbidden) en.push('Install one of these: a browser of Chromium ' + LEAST.chrome + ' or newer (360, Qi An Xin, UOS, Edge, Chrome …), or Firefox ' +
      LEAST.firefox + ' or newer. If you may not install it yourself, ask the administrator.');
    if (inRoom()) {
      zh.push('录音录像不依赖本页面：正在进行的录制不受影响。');
      en.push('The recording does not depend on this page: what is being recorded goes on.');
    }
    when(function () {
      show(
        [
          ['zh-CN', (ie ? '浏览器正在使用 IE 内核' : old ? '浏览器版本过低' : '浏览器缺少必需的功能') + '，不能打开本页', zh],
          ['en', ie ? 'This browser runs its Internet Explorer engine' : old ? 'This browser is too old for this page' : 'This browser lacks what this page needs', en]
        ],
        window.navigator.userAgent,
        old && !ie && !missing.length
      );
    });
  }

  function sayFailure() {
    var app = document.getElementById('app');
    if (!failure || !app || app.children.length) return; // what failed came later
    show(
      [
        ['zh-CN', '页面没有启动', [
          '请刷新本页。仍然不行时，请换用 Chromium 内核 ' + LEAST.chrome + ' 或 Firefox ' + LEAST.firefox + ' 以上的浏览器，并把下面的文字告诉系统管理员。'
        ].concat(inRoom() ? ['录音录像不依赖本页面：正在进行的录制不受影响。'] : [])],
        ['en', 'The page did not start', [
          'Reload it. If that does not help, use a browser of Chromium ' + LEAST.chrome + ' or Firefox ' + LEAST.firefox +
            ' or newer, and tell the administrator the words below.'
        ].concat(inRoom() ? ['The recording does not depend on this page: what is being recorded goes on.'] : [])]
      ],
      failure + ' · ' + window.navigator.userAgent
    );
  }

  function watchStart() {
    // While it is caught, errors of scripts and of what could not be loaded come here, too.
    window.addEventListener('error', function (event) {
      var at = event.target;
      if (at && at.tagName === 'SCRIPT') failure = failure || String(at.src);
      else if (event.message) failure = failure || event.message + ' (' + event.filename + ':' + event.lineno + ')';
      if (document.readyState === 'complete') sayFailure();
    }, true);
    window.addEventListener('load', function () {
      sayFailure();
    });
  }

  var is = engine();
  var missing = lacking();
  if (missing.length || (is.version < is.least && !goesOn())) refuse(is, missing);
  else watchStart();
})(window, document);
