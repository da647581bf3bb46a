"""The job: spark-submit train.py JOB.json. What is in the file is said by src/job.ts, which writes it."""

import json
import sys
import time

from report import JobError, Phases, say
from storage import delete, write_text

FORMAT = 1


def run(spark, job):
    """One run in an open session. Says how far it is, and `done` at the end."""
    directory = job["directory"]
    manifest = f"{directory}/manifest.json"
    phases = Phases(spark.sparkContext, job.get("starter"), job["iterations"])
    try:
        check_connectors(spark, job)
        from entries import merge_entries

        # A folder with a manifest is complete: not from here on.
        delete(spark, manifest)
        entries = merge_entries(spark, job, phases)
        about = {"format": FORMAT, **{key: value for key, value in entries.about.items() if key != "format"}}
        if job["iterations"] > 0:
            about.update(train(spark, job, entries, phases))
        phases.finish()
        about["spark"] = spark.version
        about["seconds"] = {name: seconds for name, seconds in phases.seconds.items() if name != "start"}
        about["writtenAt"] = int(time.time())
        write_text(spark, manifest, json.dumps(about, indent=2) + "\n")
        say("done", **about)
    finally:
        phases.close()


def train(spark, job, entries, phases):
    from factors import check_confidences, fit, known_and_held_out, write_held_out, write_side

    check_confidences(entries, job["alpha"])
    blocks = job["blocks"] or max(10, -(-entries.about["entries"] // 10_000_000))
    job = {**job, "blocks": blocks}
    known, held_out = known_and_held_out(entries, job)
    phases.enter("train")
    model = fit(spark, job, known)
    # The mean of λ over the users who have entries: what an index in the taste space needs of a model.
    trained = entries.about["entries"] if held_out is None else known.count()
    mean_lambda = job["regularization"] * trained / model.userFactors.count()
    phases.enter("write")
    write_side(job, entries, "items", model.itemFactors)
    write_side(job, entries, "users", model.userFactors)
    if held_out is not None:
        phases.enter("held out")
        write_held_out(spark, job, entries, known, held_out)
    settings = ("factors", "iterations", "regularization", "alpha", "seed")
    return {
        "objective": "hkv",
        "regularizationScaling": "count",
        "userRegularization": mean_lambda,
        "blocks": blocks,
        "trainedEntries": trained,
        "heldOut": job["heldOutBelow"] / 2**32,
        **{key: job[key] for key in settings},
    }


def check_connectors(spark, job):
    places = [job["directory"], *[path for source in job["sources"] for path in source["paths"]]]
    if not any(place.startswith("s3a://") for place in places):
        return
    try:
        spark.sparkContext._jvm.java.lang.Class.forName(
            "org.apache.hadoop.fs.s3a.S3AFileSystem", True, spark.sparkContext._jvm.Thread.currentThread().getContextClassLoader()
        )
    except Exception as error:
        hadoop = spark.sparkContext._jvm.org.apache.hadoop.util.VersionInfo.getVersion()
        raise JobError(
            "s3a", f"Spark has no S3A file system. Add spark.packages: ['org.apache.hadoop:hadoop-aws:{hadoop}'], or its jars."
        ) from error


def check_interpreter():
    """pyspark.ml needs numpy on the driver, and says so by a traceback alone."""
    try:
        import numpy  # noqa: F401
    except ImportError as error:
        raise JobError("python", f"{sys.executable} has no numpy ({error}). Install it: {sys.executable} -m pip install numpy") from error


def check_version(version):
    if int(version.split(".")[0]) < 4:
        raise JobError("version", f"Spark is {version}, expected 4.0 or later. Install it, or point spark.submit to one.")


def native_blas(spark):
    """Whether MLlib solves by a native BLAS: without one it takes twice the time."""
    try:
        spark.sparkContext._jvm.dev.ludovic.netlib.blas.NativeBLAS.getInstance()
        return True
    except Exception:
        return False


def main(path):
    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    spark = None
    try:
        check_interpreter()
        from pyspark.sql import SparkSession

        spark = SparkSession.builder.getOrCreate()
        check_version(spark.version)
        cores = spark.sparkContext.defaultParallelism
        say("started", spark=spark.version, cores=cores, nativeBlas=native_blas(spark), ui=spark.sparkContext.uiWebUrl)
        run(spark, job)
        return 0
    except JobError as error:
        say("failed", code=error.code, message=str(error))
    except Exception as error:
        # What the JVM said; the caller knows the kinds.
        say("failed", code=None, message=f"{type(error).__name__}: {error}"[:10_000])
    finally:
        if spark is not None:
            spark.stop()
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
