"""What is known of packages that are installed: those that act on the world, and those that only compute."""

from __future__ import annotations

from collections.abc import Mapping

from persistc.checks.effects.reasons import (
    BRANCHES,
    HANDED_IN,
    IDENTIFIER,
    IN_A_STEP,
    NOW,
    NUMBERS,
    Reason,
    Source,
    words,
)

_ACTING = words("""
    aiohttp curl_cffi grpc grpclib httplib2 httpx pycurl requests requests_html scrapy tornado.httpclient urllib3
    websocket websockets zeep

    MySQLdb aiobotocore aiokafka aiomysql aiopg aioredis aiosqlite asyncmy asyncpg cassandra celery
    clickhouse_connect clickhouse_driver confluent_kafka couchdb cx_Oracle diskcache dramatiq duckdb
    elasticsearch kafka kombu memcache motor mysql nats neo4j opensearchpy oracledb peewee pika psycopg psycopg2
    pyarrow.parquet pymemcache pymongo pymysql pyodbc redis rq snowflake sqlalchemy.create_engine sqlalchemy.engine
    sqlalchemy.ext.asyncio sqlalchemy.orm.Session sqlalchemy.orm.sessionmaker tortoise

    anthropic azure boto boto3 botocore cohere docker firebase_admin github google.cloud google.genai
    google.generativeai googleapiclient groq huggingface_hub kubernetes litellm mailchimp_marketing mistralai
    ollama openai pinecone sendgrid shopify slack_bolt slack_sdk stripe telegram twilio weaviate

    aiofiles aioftp aiosmtplib asyncssh fabric filelock fsspec ftputil invoke paramiko playwright plumbum
    portalocker pyppeteer s3fs selenium serial sh watchdog

    numpy.fromfile numpy.genfromtxt numpy.load numpy.loadtxt numpy.save numpy.savetxt numpy.savez pandas.ExcelWriter
    pandas.HDFStore pandas.read_csv pandas.read_excel pandas.read_feather pandas.read_json pandas.read_parquet
    pandas.read_pickle pandas.read_sql pandas.read_sql_query pandas.read_sql_table pandas.read_xml

    backoff tenacity
""")
_TELLING_TIME = words("""
    arrow.now arrow.utcnow django.utils.timezone.localdate django.utils.timezone.localtime django.utils.timezone.now
    pandas.Timestamp.now pandas.Timestamp.today pandas.Timestamp.utcnow pendulum.now pendulum.today
    pendulum.tomorrow pendulum.yesterday whenever.Instant.now
""")
_MAKING_IDENTIFIERS = words("bson.ObjectId cuid cuid2 ksuid nanoid shortuuid ulid uuid6 uuid_extensions uuid_utils")
_READING_ENVIRONMENT = words("decouple dotenv dynaconf environ environs psutil")
_THREADED = words("""
    anyio.from_thread anyio.to_process anyio.to_thread asgiref.sync eventlet gevent joblib nest_asyncio pathos trio
    uvloop
""")

OF_PACKAGES: Mapping[str, Source] = {
    **dict.fromkeys(_ACTING, Source(Reason.OUTSIDE, IN_A_STEP)),
    **dict.fromkeys(_TELLING_TIME, Source(Reason.CLOCK, NOW)),
    **dict.fromkeys(_MAKING_IDENTIFIERS, Source(Reason.RANDOM, IDENTIFIER)),
    **dict.fromkeys(_READING_ENVIRONMENT, Source(Reason.ENVIRONMENT, HANDED_IN)),
    **dict.fromkeys(_THREADED, Source(Reason.THREADS, BRANCHES)),
    "faker": Source(Reason.RANDOM, NUMBERS),
    "numpy.random": Source(Reason.RANDOM, NUMBERS),
    **{
        f"numpy.random.{name}": Source(Reason.RANDOM, NUMBERS, below=1)
        for name in ("default_rng", "RandomState", "SeedSequence", "PCG64")
    },
}
"""Those that act on the world, by the longest name that an origin begins with."""

PURE = frozenset(
    words("""
    annotated_types arrow attr attrs babel bleach bs4 cachetools cattrs charset_normalizer chevron croniter cytoolz
    dacite dataclasses_json dateparser dateutil deepdiff defusedxml email_validator exceptiongroup frozendict greenlet
    h11 holidays html5lib humanize idna immutables inflect inflection isodate itsdangerous jinja2 jmespath jsonpatch
    jsonpath_ng jsonpointer jsonschema langcodes loguru lxml mako markdown markdown_it markupsafe marshmallow mistune
    money more_itertools msgpack msgspec multidict mypy_extensions networkx numpy opentelemetry orjson packaging
    pandas parse parsel pendulum phonenumbers pint polars prometheus_client pyarrow pycountry pydantic pydantic_core
    pydantic_settings pygments pyparsing pytz rapidfuzz regex returns rich ruamel schema scipy semver sentry_sdk
    simplejson six slugify sortedcontainers sqlparse statsd stringcase structlog sympy tabulate text_unidecode
    textdistance tiktoken toml tomli tomli_w tomlkit toolz typeguard typing_extensions typing_inspection tzdata tzlocal
    ujson unidecode uritemplate validators w3lib werkzeug whenever wrapt xmltodict yaml yarl
""")
)
"""Packages that only compute, and those that only tell what happened."""

HARMLESS_PARTS = frozenset(words("constants enums error errors exc exceptions models status types"))
"""Modules of packages that hold what is raised and what is handed over."""
