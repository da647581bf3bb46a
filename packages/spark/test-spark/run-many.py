"""Several jobs in one session, since a JVM costs seconds: run-many.py FOLDER_OF_JOB LIST.json"""

import json
import sys

sys.path.insert(0, sys.argv[1])

from pyspark.sql import SparkSession

from report import JobError, say
from train import run

spark = SparkSession.builder.getOrCreate()
with open(sys.argv[2], encoding="utf-8") as file:
    jobs = json.load(file)
for name, job in jobs:
    say("job", name=name)
    try:
        run(spark, job)
    except JobError as error:
        say("failed", code=error.code, message=str(error))
    except Exception as error:
        say("failed", code=None, message=f"{type(error).__name__}: {error}"[:3000])
spark.stop()
