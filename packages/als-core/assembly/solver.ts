// The solver's kernel: everything that `train` runs in WebAssembly.
export { gram, packPanels, multiply, toBfloat16, scatter } from "./product";
export { setFixedSide, setScratch, setCapacity, weighValues, weighCodes, solveRows } from "./rows";
