"""What the verifier says, in Chinese and English. The codes are stable; `{0}`, `{1}`, … say what about."""

from __future__ import annotations

from typing import Final

VERDICTS: Final[dict[str, dict[str, str]]] = {
    "authentic": {"zh": "真实完整", "en": "authentic: all of it is there and as it was recorded"},
    "authentic-with-gaps": {
        "zh": "真实，但有已申明的缺失",
        "en": "authentic with gaps: as recorded; the record itself declares what is missing",
    },
    "not-authentic": {"zh": "不真实：与签名的记录不符", "en": "not authentic: something differs from what was signed"},
    "unsealed": {
        "zh": "未封存：现有部分真实，但不能证明到此结束",
        "en": "unsealed: true as far as it goes, but nothing says that this is the end",
    },
    "not-verifiable": {
        "zh": "无法验证：缺少签名、证书或中心的见证",
        "en": "not verifiable: signatures, certificate or the center's word are missing",
    },
}

STEPS: Final[tuple[dict[str, str], ...]] = (
    {"zh": "文件夹与目录", "en": "folder and index"},
    {"zh": "账本条目", "en": "leaves"},
    {"zh": "设备签名与证书", "en": "checkpoints and certificate"},
    {"zh": "中心见证", "en": "the center's cosignature"},
    {"zh": "账本与签名一致", "en": "tree against checkpoints"},
    {"zh": "庭审规则与封存", "en": "rules of the hearing and seal"},
    {"zh": "时间", "en": "time"},
    {"zh": "音视频", "en": "media"},
    {"zh": "完整性（覆盖）", "en": "coverage"},
    {"zh": "文字与证据", "en": "words and exhibits"},
    {"zh": "时间戳", "en": "time-stamp token"},
    {"zh": "导出者签名", "en": "the exporter's signature"},
)


def _both(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


SENTENCES: Final[dict[str, dict[str, str]]] = {
    # 1 folder
    "folder": _both("这不是导出的庭审文件夹：{0}", "this is not the folder of an exported hearing: {0}"),
    "form": _both(
        "这是 {0} 格式的导出，本程序只认识 {1}，没有判断其真假；请用相应版本的程序验证",
        "the export is of the form {0} and this program knows {1}, so nothing was judged; "
        "verify it with the program of that version",
    ),
    "index": _both("目录 index.json 不能读取：{0}", "index.json cannot be read: {0}"),
    "path": _both(
        "目录中有不允许的文件名（可能是路径穿越）：{0}", "the index names a path that no export has (a traversal?): {0}"
    ),
    "unlisted": _both("文件夹里有目录没有列出的文件：{0}", "the folder holds a file that the index does not list: {0}"),
    "not-a-file": _both("不是普通文件（链接或设备）：{0}", "not a plain file (a link or a device): {0}"),
    "file-missing": _both("目录列出的文件不在：{0}", "a file of the index is missing: {0}"),
    "file-differs": _both("文件与目录不符：{0}", "a file is not what the index says: {0}"),
    # 2 leaves
    "leaf": _both("账本第 {0} 条不是规范形式：{1}", "leaf {0} is not in its one form: {1}"),
    "leaf-hearing": _both("账本第 {0} 条属于另一次庭审", "leaf {0} is of another hearing"),
    "leaf-order": _both("账本第 {0} 条的编号没有递增", "the number of leaf {0} does not rise"),
    "leaf-body": _both("账本内容的形式不对：{0}", "a leaf's content is not of its form: {0}"),
    "leaves-missing": _both("没有账本条目", "there are no leaves"),
    # 3 checkpoints
    "no-center-key": _both(
        "没有给出中心公钥（--center-key），无法判断签名属于谁",
        "no center key was given (--center-key), so nobody can say whose signatures these are",
    ),
    "checkpoints-missing": _both("没有设备签名的检查点", "there are no checkpoints signed by the device"),
    "checkpoint": _both("第 {0} 个检查点不能读取：{1}", "checkpoint {0} cannot be read: {1}"),
    "checkpoint-hearing": _both("检查点属于另一庭审或设备：{0}", "a checkpoint is of another hearing or device: {0}"),
    "checkpoint-order": _both("检查点的次序倒退：{0}", "the checkpoints do not rise: {0}"),
    "checkpoint-unsigned": _both("第 {0} 个检查点没有签名", "checkpoint {0} carries no signature"),
    "checkpoint-signature": _both(
        "第 {0} 个检查点的设备签名是假的", "the device's signature of checkpoint {0} is false"
    ),
    "device-key-changed": _both(
        "第 {0} 个检查点不是证书所载设备密钥签的", "checkpoint {0} is not signed by the key of the device's certificate"
    ),
    "certificate-missing": _both(
        "没有设备证书（设备未登记？）", "the device's certificate is missing (never enrolled?)"
    ),
    "certificate": _both("设备证书不可信：{0}", "the device's certificate is not believed: {0}"),
    "certificate-expired": _both(
        "签名时设备证书不在有效期内：{0}", "the device's certificate was not valid when it signed: {0}"
    ),
    # 4 witness
    "unwitnessed": _both(
        "中心没有见证最后的检查点（导出时中心可能不可达；到中心再导出一次）",
        "the center has not countersigned the last checkpoint (was it unreachable? export again at the center)",
    ),
    "cosignature": _both(
        "中心的见证签名是假的：第 {0} 个检查点", "the center's cosignature of checkpoint {0} is false"
    ),
    # 5 tree
    "root-differs": _both(
        "账本与签名的根不符：前 {0} 条被改动过", "the first {0} leaves do not have the root that was signed"
    ),
    "fork": _both(
        "同样大小（{0} 条）有两个不同的签名根：账本分叉", "two different roots were signed for {0} leaves: a fork"
    ),
    "leaves-short": _both(
        "签名覆盖 {0} 条，账本只有 {1} 条：有条目被删去",
        "{0} leaves were signed and {1} are here: some were taken away",
    ),
    "leaves-unsigned": _both(
        "账本有 {0} 条，签名只覆盖前 {1} 条", "there are {0} leaves and the signatures cover only the first {1}"
    ),
    "last-number": _both(
        "检查点说最后编号 {0}，账本不是", "a checkpoint says that its last event is {0}; the leaves say another"
    ),
    "proof": _both("第 {0} 条的包含证明不成立：{1}", "the inclusion proof of leaf {0} does not hold: {1}"),
    "proof-count": _both("条目与证明的数目不同：{0} 与 {1}", "there are {0} leaves and {1} proofs"),
    # 6 rules
    "not-opened": _both("账本不以开庭开始", "the ledger does not begin with the opening"),
    "opened-twice": _both("同一账本有两次开庭", "one ledger has two openings"),
    "pause-reason": _both("中断理由不是法定三种之一：{0}", "an interruption has none of the three lawful reasons: {0}"),
    "state": _both("庭审状态次序不可能：{0}（编号 {1}）", "an impossible order of acts: {0} (event {1})"),
    "not-closed": _both("庭审没有闭庭", "the hearing is not closed"),
    "unsealed": _both("没有封存：不能证明到此结束", "there is no seal: nothing says that this is the end"),
    "seal": _both("封存与账本不符：{0}", "the seal does not agree with the ledger: {0}"),
    "after-seal": _both("封存之后还有不允许的内容：{0}", "something came after the seal that may not: {0}"),
    "words-unsealed": _both("封存之后又有文字，尚未再次封存", "words came after the seal and are not sealed yet"),
    "words-incomplete": _both(
        "封存时文字识别没有完成，可能缺少文字", "speech recognition had not caught up at the seal; words may be missing"
    ),
    "segment-twice": _both("同一段录像在账本中出现两次：{0}", "a segment is in the ledger twice: {0}"),
    "unknown-track": _both("账本提到没有的轨道：{0}", "the ledger names a track that the hearing does not have: {0}"),
    "excerpt": _both(
        "这是摘录（{0} 至 {1}）：只证明其中内容真实", "this is an excerpt ({0} to {1}): only what is in it is proven"
    ),
    # 7 time
    "clock-jump": _both(
        "时钟跳变 {0} 秒而没有时钟记录（编号 {1}）", "UTC jumps by {0} s and no clock leaf says why (event {1})"
    ),
    "clock-back": _both("时间倒退（编号 {0}）", "time runs backwards (event {0})"),
    "clock-stepped": _both(
        "系统时钟曾被调整 {0} 秒（已记录）", "the system clock was set by {0} s (the record says so)"
    ),
    "clock-ahead": _both(
        "设备时钟比中心见证的时间快 {0} 秒", "the device's clock was {0} s ahead of the center's when it was witnessed"
    ),
    "witnessed-late": _both(
        "中心在签名后 {0} 才见证（此前能改写的只有设备密钥持有者）",
        "the center countersigned {0} after the device signed (till then the holder of its key could rewrite)",
    ),
    "media-utc": _both("{0} 内标注的 UTC 与账本相差 {1} 秒", "the UTC inside {0} differs from the ledger's by {1} s"),
    # 8 media
    "media-missing": _both("录像文件缺失：{0}", "a segment's file is missing: {0}"),
    "media-differs": _both("录像内容被改动（{1} 不符）：{0}", "a segment's bytes were changed ({1} differs): {0}"),
    "media-extra": _both("有账本里没有的录像文件：{0}", "a media file is in no leaf: {0}"),
    "media-broken": _both("录像不能读取：{0}：{1}", "a segment cannot be read: {0}: {1}"),
    "media-time": _both("录像内的时间与账本不符：{0}", "the times inside a segment are not those of its leaf: {0}"),
    "media-sm3": _both(
        "账本没有 {0} 的 SM3（旧版本记录）", "the ledger has no SM3 of {0} (recorded by an older version)"
    ),
    # 9 coverage
    "gap": _both("{0} 缺 {1}：{2}", "{0} lacks {1}: {2}"),
    "hole": _both("{0} 在 {1} 缺 {2}，记录没有申明", "{0} lacks {2} at {1}, and the record declares nothing of it"),
    "pending": _both(
        "{0} 在 {1} 的 {2} 还不在账本中（庭审尚未封存）",
        "{0}: {2} at {1} are not in the ledger yet (the hearing is not sealed)",
    ),
    # 10 words and exhibits
    "transcript": _both(
        "{0} 与账本中的文字不符（未经修订的改动）", "{0} is not what the ledger says (a change without a revision)"
    ),
    "transcript-missing": _both("文字记录缺失：{0}", "the transcript is missing: {0}"),
    "certificate-json": _both("情况说明 certificate.json 与账本不符", "certificate.json is not what the ledger says"),
    "exhibit-missing": _both("证据文件缺失：{0}", "an exhibit's file is missing: {0}"),
    "exhibit-differs": _both("证据文件被改动或调换：{0}", "an exhibit's file was changed or swapped: {0}"),
    "exhibit-extra": _both("有账本里没有的证据文件：{0}", "an exhibit's file is in no leaf: {0}"),
    "exhibit-unknown": _both("展示了没有登记的证据：{0}", "something was shown that is no exhibit: {0}"),
    "signing": _both("signing.json 与账本中的签名、异议不符", "signing.json is not what the ledger says of signatures"),
    "form-too-old": _both(
        "账本里有修订或签名，而 {0} 格式的导出不含这些内容",
        "there are acts or signatures here that {0} leaves out",
    ),
    "document-missing": _both("笔录文件缺失：{0}", "a document of the signed words is missing: {0}"),
    "document-differs": _both(
        "笔录文件被改动或调换：{0}", "a document of the signed words was changed or swapped: {0}"
    ),
    "document-extra": _both("有账本里没有的笔录文件：{0}", "a document is in no leaf: {0}"),
    "document-unknown": _both(
        "笔录文件不属于任何一版核对文字：{0}", "a document is of words that were never laid before anybody: {0}"
    ),
    "document-signature": _both(
        "笔录 PDF 的数字签名不是本设备的，或已被破坏：{0}：{1}",
        "the signature in a transcript's PDF is not of this room's device, or is broken: {0}: {1}",
    ),
    "document-unsigned": _both(
        "笔录 PDF 没有设备数字签名（生成时设备尚未登记）：{0}",
        "a transcript's PDF carries no signature of the device (it was not enrolled then): {0}",
    ),
    "words-hash": _both(
        "交付核对的文字与当时的笔录不符（编号 {0}）", "what was laid before people were not the words then (event {0})"
    ),
    "signature-unknown": _both(
        "{0} 的签名不属于任何一版核对文字", "the signature of {0} is of words that were never laid before anybody"
    ),
    "signed": _both("{0} 已签名，签署的正是最后的文字", "{0} signed the last words"),
    "signed-before": _both(
        "{0} 签署的是第 {1} 版，其后文字又有修订", "{0} signed version {1}; the words were revised after that"
    ),
    "refused": _both("{0} 拒绝签名：{1}", "{0} refused to sign: {1}"),
    "objection-refused": _both("{0} 的异议未予更正：{1}", "an objection of {0} was not followed: {1}"),
    # 11 token
    "token": _both("时间戳不可信：{0}", "the time-stamp token is not believed: {0}"),
    "token-unchecked": _both(
        "有时间戳，但没有给出时间戳机构的根证书（--tsa-root），未检查",
        "there is a time-stamp token; without its authority's root (--tsa-root) it was not judged",
    ),
    "token-time": _both("时间戳时间 {0} 早于封存", "the token's time {0} is before what it stamps was signed"),
    "token-says": _both("时间戳：{0}", "time-stamped at {0}"),
    "token-without-seal": _both("有时间戳而没有封存的检查点", "there is a token and no sealed checkpoint for it"),
    # 12 exporter
    "index-unsigned": _both("目录没有可验证的导出者签名", "the index is not verifiably signed by who exported it"),
    "index-signature": _both(
        "导出者的签名是假的：目录被改动过", "the exporter's signature is false: the index was changed"
    ),
    "index-signer": _both(
        "目录的签名既不是本设备也不是中心的", "the index is signed neither by this device nor by the center"
    ),
    "index-hearing": _both("目录属于另一次庭审", "the index is of another hearing"),
    # the audit log
    "audit-row-changed": _both("审计日志第 {0} 行被改动", "row {0} of the audit log was changed"),
    "audit-row-missing": _both("审计日志第 {0} 行被删除", "row {0} of the audit log is missing"),
    "audit-row-added": _both(
        "审计日志第 {0} 行不是由中心写入的", "row {0} of the audit log was not written by the center"
    ),
    "audit-row-order": _both("审计日志第 {0} 行的次序不对", "row {0} of the audit log is out of its order"),
    "audit-leaf-missing": _both(
        "账本第 {0} 条缺失（在第 {1} 行之后）", "leaf {0} of the ledger is missing (after row {1})"
    ),
    "audit-root": _both(
        "第 {0} 行至第 {1} 行之间有改动、删除、增加或换序",
        "between row {0} and row {1} something was changed, taken away, added or put in another order",
    ),
    "audit-cut": _both(
        "中心签名的是 {0} 行，现仅有 {1} 行：末尾被删除",
        "the center has signed {0} rows and only {1} are here: the end was taken away",
    ),
    "audit-head": _both("一个签名的树头不能相信：{0}", "a signed head is not believed: {0}"),
    "audit-head-order": _both("签名的树头次序倒退（{0} 行处）", "the signed heads go back (at {0} rows)"),
    "audit-no-head": _both("没有覆盖这些行的签名树头", "no signed head covers these rows"),
    "audit-unsigned": _both(
        "最后 {0} 行（自第 {1} 行起）尚未签名", "the last {0} rows (from row {1} on) are not signed yet"
    ),
    "audit-before": _both(
        "账本启用之前已有的行无从证明：{0}", "nothing proves the rows of before the ledger began: {0}"
    ),
    "audit-back": _both(
        "法庭 {0} 收到过倒退的树头（{1} 行）", "the room {0} was told a head that goes back (to {1} rows)"
    ),
    "audit-held-cut": _both(
        "法庭 {0} 持有 {1} 行的树头，现仅有 {2} 行：末尾被删除",
        "the room {0} holds a head over {1} rows and only {2} are here: the end was taken away",
    ),
    "audit-held-differs": _both(
        "与法庭 {0} 持有的 {1} 行的树头不符", "this is not the log of which the room {0} holds a head over {1} rows"
    ),
    "audit-held": _both(
        "前 {0} 行与法庭 {1} 持有的树头一致（{2}）",
        "the first {0} rows are those of a head that the room {1} holds ({2})",
    ),
    "audit-held-unread": _both("法庭 {0} 持有的树头不能相信：{1}", "a head held by the room {0} is not believed: {1}"),
    "audit-not-held": _both(
        "没有法庭持有的树头：掌握中心密钥者可以重写全部",
        "no room holds a head: whoever has the center's key could write all of it anew",
    ),
    "audit-token": _both("{0} 行处的时间戳不能相信：{1}", "the time-stamp over {0} rows is not believed: {1}"),
    "audit-stamped": _both("前 {0} 行的时间戳：{1}", "the first {0} rows are time-stamped at {1}"),
    "audit-unreadable": _both("不能作为审计日志读取：{0}", "this cannot be read as an audit log: {0}"),
    # the verifier itself
    "unreadable": _both("无法继续检查：{0}", "this cannot be checked further: {0}"),
}
