// Exact top-k, and scores of everything.
export { setBlock, setIndex } from "./block";
export { packPanel } from "./encode";
export { addQuery, filledOf, rank } from "./rank";
export { scoreFour } from "./scores";
