// The solver's kernel: everything that `train` runs in WebAssembly.
export { gram, packPanels, multiply, toBfloat16 } from "./product";
export { setFixedSide, setScratch, setStreamed, weighValues, weighCodes, solveRows } from "./rows";
