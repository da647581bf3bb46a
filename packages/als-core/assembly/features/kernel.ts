// The kernel of the map from features to factors: everything that its fit runs in WebAssembly.
export { gatherRows } from "./gather";
export { subtractRows, squareRows, startRows, stepRows, scaleRows, lowerRows, turnRows } from "./rows";
