// The kernel of the map from features to factors: everything that its fit runs in WebAssembly.
export { gatherRows } from "./gather";
export { subtractRows, startRows, multiplyRows, moveRows } from "./rows";
