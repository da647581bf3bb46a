export { countIds, mapIds } from "./ids";
export { openStage, stageEntries, stageRows } from "./stage";
export { countBuckets, mergeCodes, sortEntries, sortRows } from "./sort";
