// The solver's kernel: everything that `train` runs in WebAssembly.
export { gram, packPanels, multiply } from "./product";
export { weighRows } from "./priors";
export { encodeRows } from "./int8-rows";
export { scatterRows } from "./gather";
export { lookUpRecords, weighValues, weighCodebook, weighCodes } from "./entries";
export { setFixedSide, setScratch, setCapacity } from "./pass";
export { solveRows } from "./conjugate-gradients";
