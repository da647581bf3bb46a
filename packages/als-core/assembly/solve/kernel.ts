// The solver's kernel: everything that `train` runs in WebAssembly.
export { gram, packPanels, multiply } from "./product";
export { encodeRows } from "./code-rows";
export { encodeFactors, multiplyCodes } from "./code-product";
export { scatterRows } from "./places";
export { placeEntries, weighValues, weighCodebook, weighCodes } from "./entries";
export { setFixedSide, setScratch, setCapacity } from "./pass";
export { solveRows } from "./rows";
