// The solver's kernel: everything that `train` runs in WebAssembly.
export { gram, packPanels, multiply } from "./product";
export { encodeRows } from "./code-rows";
export { encodeFactors, multiplyCodes } from "./code-product";
export { scatterRows } from "./places";
export { setFixedSide, setScratch, setCapacity, placeEntries, weighValues, weighCodebook, weighCodes, solveRows } from "./rows";
