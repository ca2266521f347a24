#include "pipeline/outputs/report.h"

namespace retromass::outputs {

// Colours have a contrast of at least 4.5 : 1 on their ground in both schemes; nothing is told by colour alone.
const char* const kReportStyle = R"css(
:root{--ink:#1b1f24;--soft:#57606a;--ground:#fff;--card:#f6f8fa;--line:#d0d7de;--accent:#0b5cad;--band:#f0e442;--band-ink:#000;--span:#0072b222;--m0:#0072b2;--m1:#b94f00;--m2:#007a5a;--m3:#a8477f;--m4:#8a6100}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--ground:#0f141a;--card:#181f27;--line:#323b45;--accent:#79b8ff;--span:#56b4e92e;--m0:#56b4e9;--m1:#ff9b57;--m2:#3fcf9f;--m3:#e6a3c8;--m4:#f0e442}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI","DejaVu Sans",Helvetica,Arial,sans-serif;font-variant-numeric:tabular-nums}
main,.inner{max-width:1240px;margin:0 auto;padding:0 24px}
.band{background:var(--band);color:var(--band-ink);font-weight:700;text-align:center;padding:6px 12px;letter-spacing:.02em}
header{padding:22px 0 8px}
h1{font-size:26px;line-height:1.2;margin:0}
h2{font-size:20px;margin:38px 0 12px;padding-top:14px;border-top:1px solid var(--line)}
h3{font-size:16px;margin:22px 0 8px}
p{margin:6px 0 10px;max-width:92ch}
.soft,small{color:var(--soft)}
.cards{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:14px;margin:14px 0}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px}
.card .label{font-size:13px;color:var(--soft);font-weight:600}
.card .big{font-size:30px;font-weight:700;line-height:1.2;margin:2px 0 4px}
.card p{margin:0}
.first{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:24px;align-items:start}
.attention{border:1px solid var(--line);border-left:5px solid #d55e00;border-radius:8px;padding:12px 16px;background:var(--card)}
.attention h2,.first h2{border:0;margin:0 0 6px;padding:0;font-size:16px}
.attention ul{margin:0;padding-left:18px}
.attention li{margin:4px 0;overflow-wrap:anywhere}
.code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:12.5px}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
caption{text-align:left;color:var(--soft);padding:0 0 6px}
th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top}
thead th{background:var(--card);font-weight:600;border-bottom:2px solid var(--line)}
tbody th{font-weight:600}
td.n,th.n{text-align:right}td.n{white-space:nowrap}
@media screen{.wide th,.wide td{padding:6px}.wide table{font-size:13.5px}}
td.d{white-space:nowrap}
.tag{display:inline-block;border:1px solid currentColor;border-radius:4px;padding:0 6px;font-weight:700;white-space:nowrap}
.timepoint{break-inside:avoid;page-break-inside:avoid;margin:26px 0 0}
.pictures{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:12px;align-items:start;margin:8px 0 12px}
.pictures figure{margin:0;background:#000;border-radius:6px;overflow:hidden}
.pictures img{display:block;width:100%;height:auto;max-height:460px;object-fit:contain}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 16px;margin:6px 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.decision{border-left:4px solid var(--accent);padding:2px 0 2px 14px;margin:14px 0;break-inside:avoid}
.decision h3{margin:0 0 4px}.decision p{margin:2px 0}
svg.plot{width:100%;height:auto;display:block}
.plot text{fill:var(--ink);font:12px system-ui,"DejaVu Sans",Helvetica,Arial,sans-serif}
.plot .value{font-size:12px;font-weight:600;paint-order:stroke;stroke:var(--ground);stroke-width:3px}
.plot .axis-title,.plot .strong{font-weight:600}
.plot .tick{fill:var(--soft)}.plot .strong{fill:var(--ink)}
.plot .grid{stroke:var(--line);stroke-width:1}
.plot .base{stroke:var(--soft);stroke-width:1}
.plot .guide{stroke:var(--line);stroke-dasharray:2 4}
.plot .treatment{stroke:var(--soft);stroke-width:1.4;stroke-dasharray:6 3}
.plot .span{fill:var(--span)}
.plot .curve{stroke:var(--ink);stroke-width:2}.plot .mark{fill:var(--ink)}.plot .mark[data-hollow]{fill:none;stroke:var(--ink);stroke-width:1.5}.plot .note.inked{fill:var(--ink)}
td small,th small{display:block;font-weight:400}
.attention section+section{margin-top:14px}.attention table{font-size:13px}
.sheet{display:grid;grid-auto-flow:column;grid-auto-columns:minmax(120px,320px);gap:6px;overflow-x:auto;margin:6px 0}
.sheet figure{margin:0}.sheet img{width:100%;height:auto;display:block;background:#000}
figcaption{font-size:12.5px;color:var(--soft);overflow-wrap:anywhere}
.extract{border:1px solid var(--line);border-left:5px solid var(--accent);border-radius:8px;background:var(--card);padding:12px 16px;user-select:all}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.tag{overflow-wrap:anywhere}
footer{margin:40px 0 24px;color:var(--soft);font-size:13px;border-top:1px solid var(--line);padding-top:12px}
@media screen and (max-width:900px){.cards,.first,.pictures{grid-template-columns:1fr}}
@page{size:A4;margin:14mm 12mm}
@media print{
:root{--ink:#000;--soft:#444;--ground:#fff;--card:#fff;--line:#bbb;--accent:#0b5cad;--span:#0072b222;--m0:#0072b2;--m1:#b94f00;--m2:#007a5a;--m3:#a8477f;--m4:#8a6100}
body{font-size:10pt}main,.inner{max-width:none;padding:0}.band{-webkit-print-color-adjust:exact;print-color-adjust:exact}
h2{break-after:avoid;margin-top:20px}tr{break-inside:avoid}table{font-size:8.5pt}th,td{padding:3px 5px}.card .big{font-size:18pt}
.first{grid-template-columns:1fr}.wide{overflow:visible}.pictures figure,.attention,.card{break-inside:avoid}.pictures img{max-height:66mm}.wide{break-inside:avoid}h3{break-after:avoid}
}
)css";

}  // namespace retromass::outputs
