"""Beacons as vendors' scripts really send them, for whoever must tell, stop or receive them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["address", "cookie", "none"]


@dataclass(frozen=True)
class Shape:
    """One request. ``target`` is path and query; ``kind`` the browser's resource type.

    ``proxied``: it is known by its shape alone, so through a first-party host too.
    ``mark``: where the vendor's flag is when the request is marked; none: it is stopped.
    """

    vendor: str
    name: str
    host: str
    target: str
    kind: str
    method: str = "POST"
    body: bytes | None = None
    proxied: bool = False
    mark: Mark = "none"

    def url(self, host: str = "") -> str:
        return f"https://{host or self.host}{self.target}"


UUID = "0f1d2c3b-4a59-4687-8f6e-1234567890ab"
NOW = "1700000000123"
PAGE = "https%3A%2F%2Fshop.example.com%2Fcart"

GA4 = (
    f"/g/collect?v=2&tid=G-ABC123DEF4&gtm=45je4&_p={NOW}&cid=111.222&ul=en&sid=1700000000&dl={PAGE}"
)
MATOMO = f"idsite=1&rec=1&r=112233&h=10&m=20&s=30&url={PAGE}&_id=0123456789abcdef&send_image=0"
UA = f"v=1&_v=j101&a=12345&t=pageview&_s=1&dl={PAGE}&cid=111.222&tid=UA-123456-1&z=99"
ADOBE = f"/b/ss/examplecom/1/JS-2.22.0/s12345678901234?AQB=1&ndh=1&pageName=cart&g={PAGE}&AQE=1"
SEGMENT = (
    b'{"timestamp":"2026-11-01T10:00:00.000Z","type":"page","anonymousId":"a-1",'
    b'"context":{"page":{"path":"/cart"}},"messageId":"ajs-next-1","writeKey":"AbCdEf123456",'
    b'"sentAt":"2026-11-01T10:00:00.100Z"}'
)
RUDDER = (
    b'{"type":"page","anonymousId":"a-1","messageId":"m-1","properties":{"path":"/cart"},'
    b'"originalTimestamp":"2026-11-01T10:00:00.000Z","sentAt":"2026-11-01T10:00:00.100Z"}'
)
AMPLITUDE = (
    b'{"api_key":"0123456789abcdef0123456789abcdef","events":[{"device_id":"d","event_type":'
    b'"[Amplitude] Page Viewed"}],"options":{},"client_upload_time":"2026-11-01T10:00:00.000Z"}'
)
PLAUSIBLE = b'{"n":"pageview","u":"https://shop.example.com/cart","d":"shop.example.com","r":null}'
UMAMI = (
    b'{"type":"event","payload":{"website":"' + UUID.encode() + b'","screen":"1280x720",'
    b'"language":"en","title":"Cart","hostname":"shop.example.com","url":"/cart"}}'
)
SNOWPLOW = (
    b'{"schema":"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",'
    b'"data":[{"e":"pv","url":"https://shop.example.com/cart","tv":"js-3.24.0","p":"web"}]}'
)
POSTHOG = (
    b'{"api_key":"phc_abcDEF123","batch":[{"event":"$pageview","distinct_id":"1"}],'
    b'"sent_at":"2026-11-01T10:00:00.000Z"}'
)
POSTHOG_E = f"?ip=0&_={NOW}&ver=1.200.0&compression=gzip-js"
MIXPANEL = (
    b"data=%5B%7B%22event%22%3A%22Cart%22%2C%22properties%22%3A%7B%22token%22%3A%22t%22%7D%7D%5D"
)
OPTIMIZELY = (
    b'{"account_id":"12345","visitors":[{"visitor_id":"v","snapshots":[]}],"anonymize_ip":true,'
    b'"client_name":"js","client_version":"0.180.0"}'
)
GA4_LINES = b"en=page_view&_et=10\r\nen=add_to_cart&epn.value=12&_et=20"

SHAPES = (
    Shape(
        "Google Analytics",
        "GA4 one event",
        "region1.google-analytics.com",
        f"{GA4}&en=page_view",
        "Fetch",
        proxied=True,
        mark="address",
    ),
    Shape(
        "Google Analytics",
        "GA4 batch",
        "analytics.google.com",
        GA4,
        "Ping",
        body=GA4_LINES,
        proxied=True,
        mark="address",
    ),
    Shape(
        "Google Analytics",
        "GA4 by image",
        "www.google-analytics.com",
        f"{GA4}&en=scroll",
        "Image",
        "GET",
        proxied=True,
        mark="address",
    ),
    Shape(
        "Google Analytics",
        "UA in the query",
        "www.google-analytics.com",
        f"/j/collect?{UA}",
        "XHR",
        proxied=True,
    ),
    Shape(
        "Google Analytics",
        "UA in the body",
        "www.google-analytics.com",
        "/collect",
        "Ping",
        body=UA.encode(),
        proxied=True,
    ),
    Shape(
        "Google Ads",
        "audience",
        "stats.g.doubleclick.net",
        "/g/collect?v=2&tid=G-ABC123DEF4&cid=111.222&gtm=45je4&aip=1",
        "Fetch",
    ),
    Shape(
        "Google Ads",
        "audience by country",
        "www.google.dk",
        "/ads/ga-audiences?v=1&t=sr&slf_rd=1&_r=4&tid=G-ABC123DEF4&cid=1.2&jid=3&aip=1",
        "Image",
        "GET",
        proxied=True,
    ),
    Shape(
        "Google Ads",
        "conversion asked for as a script",
        "googleads.g.doubleclick.net",
        f"/pagead/viewthroughconversion/123456789/?random={NOW}&cv=11&fst={NOW}&url={PAGE}",
        "Script",
        "GET",
        proxied=True,
    ),
    Shape(
        "Google Ads",
        "conversion frame",
        "1234567.fls.doubleclick.net",
        "/activityi;src=1234567;type=shop;cat=cart;ord=1?",
        "Document",
        "GET",
    ),
    Shape("Google Ads", "consent mode", "www.google.com", "/ccm/collect?en=page_view", "Ping"),
    Shape(
        "Matomo",
        "cloud",
        "shop.matomo.cloud",
        f"/matomo.php?{MATOMO}",
        "Ping",
        proxied=True,
        mark="cookie",
    ),
    Shape(
        "Matomo",
        "form in the body",
        "stats.example.net",
        "/piwik.php",
        "XHR",
        body=MATOMO.encode(),
        proxied=True,
        mark="cookie",
    ),
    Shape(
        "Matomo",
        "bulk",
        "stats.example.net",
        "/analytics/matomo.php",
        "XHR",
        body=b'{"requests":["?' + MATOMO.encode() + b'"],"send_image":0}',
        proxied=True,
        mark="cookie",
    ),
    Shape(
        "Plausible", "event", "plausible.io", "/api/event", "Fetch", body=PLAUSIBLE, proxied=True
    ),
    Shape("Umami", "event", "cloud.umami.is", "/api/send", "Fetch", body=UMAMI, proxied=True),
    Shape(
        "Fathom Analytics",
        "view",
        "cdn.usefathom.com",
        "/?h=https%3A%2F%2Fshop.example.com&p=%2Fcart&r=&sid=ABCDEF&qs=%7B%7D&cid=1",
        "Image",
        "GET",
    ),
    Shape(
        "GoatCounter",
        "count",
        "shop.goatcounter.com",
        "/count?p=%2Fcart&r=&e=false&t=Cart&s=1280%2C720%2C1&b=0&q=&rnd=ab12c",
        "Image",
        "GET",
        proxied=True,
    ),
    Shape(
        "PostHog",
        "event, compressed",
        "eu.i.posthog.com",
        f"/i/v0/e/{POSTHOG_E}",
        "Fetch",
        body=b"\x1f\x8b\x08\x00\x00",
        proxied=True,
    ),
    Shape("PostHog", "recording", "us.i.posthog.com", f"/s/{POSTHOG_E}", "Ping", proxied=True),
    Shape("PostHog", "batch", "us.i.posthog.com", "/batch/", "Fetch", body=POSTHOG, proxied=True),
    Shape("Segment", "page", "api.segment.io", "/v1/p", "Fetch", body=SEGMENT, proxied=True),
    Shape(
        "RudderStack",
        "page",
        "shop.dataplane.rudderstack.com",
        "/v1/page",
        "XHR",
        body=RUDDER,
        proxied=True,
    ),
    Shape(
        "Amplitude",
        "events",
        "api2.amplitude.com",
        "/2/httpapi",
        "Fetch",
        body=AMPLITUDE,
        proxied=True,
    ),
    Shape(
        "Mixpanel",
        "track",
        "api-js.mixpanel.com",
        f"/track/?verbose=1&ip=1&_={NOW}",
        "XHR",
        body=MIXPANEL,
        proxied=True,
        mark="cookie",
    ),
    Shape(
        "Mixpanel",
        "track by address",
        "api-js.mixpanel.com",
        f"/track/?data=eyJldmVudCI6IkNhcnQifQ%3D%3D&ip=1&_={NOW}",
        "XHR",
        "GET",
        proxied=True,
        mark="cookie",
    ),
    Shape(
        "Snowplow",
        "post",
        "com-example-prod1.mini.snplow.net",
        "/com.snowplowanalytics.snowplow/tp2",
        "XHR",
        body=SNOWPLOW,
        proxied=True,
    ),
    Shape(
        "Snowplow",
        "renamed path",
        "com-example-prod1.collector.snplow.net",
        "/com.example/track",
        "Ping",
        body=SNOWPLOW,
        proxied=True,
    ),
    Shape(
        "Snowplow",
        "image",
        "d32hwlnfiv2gyn.cloudfront.net",
        f"/i?stm={NOW}&e=pv&url={PAGE}&tv=js-3.24.0&tna=sp&aid=shop&p=web",
        "Image",
        "GET",
        proxied=True,
    ),
    Shape(
        "Adobe Experience Cloud",
        "Analytics",
        "example.sc.omtrdc.net",
        ADOBE,
        "Image",
        "GET",
        proxied=True,
    ),
    Shape(
        "Adobe Experience Cloud",
        "Edge",
        "edge.adobedc.net",
        f"/ee/irl1/v1/interact?configId={UUID}&requestId={UUID}",
        "Fetch",
        body=b'{"meta":{},"events":[{"xdm":{"eventType":"web.webpagedetails.pageViews"}}]}',
        proxied=True,
    ),
    Shape(
        "Meta",
        "pixel",
        "www.facebook.com",
        f"/tr/?id=1234567890123456&ev=PageView&dl={PAGE}&rl=&if=false&ts={NOW}&v=2.9.1",
        "Image",
        "GET",
        proxied=True,
    ),
    Shape(
        "Meta",
        "pixel in a body",
        "www.facebook.com",
        "/tr/",
        "Ping",
        body=b"id=1234567890123456&ev=Purchase&cd[value]=12",
        proxied=True,
    ),
    Shape("Hotjar", "recording", "content.hotjar.io", "/?gzip=1", "XHR", body=b"\x1f\x8b"),
    Shape(
        "Hotjar",
        "visit",
        "in.hotjar.com",
        "/api/v2/client/sites/123456/visit-data?sv=7",
        "XHR",
        body=b'{"session_id":"s"}',
        proxied=True,
    ),
    Shape(
        "FullStory",
        "bundle",
        "rs.fullstory.com",
        f"/rec/bundle?OrgId=ABC12&UserId={UUID}&SessionId={UUID}&PageId={UUID}&Seq=1",
        "XHR",
        body=b'{"When":0,"Seq":1,"Evts":[]}',
        proxied=True,
    ),
    Shape(
        "FullStory",
        "page",
        "rs.fullstory.com",
        "/rec/page",
        "XHR",
        body=b'{"OrgId":"ABC12","Url":"https://shop.example.com/cart","Width":1280}',
        proxied=True,
    ),
    Shape("Clarity", "collect", "t.clarity.ms", "/collect", "XHR", body=b'{"e":["0.7.0",1]}'),
    Shape(
        "Optimizely",
        "events",
        "logx.optimizely.com",
        "/v1/events",
        "XHR",
        body=OPTIMIZELY,
        proxied=True,
    ),
    Shape(
        "Pinterest",
        "view",
        "ct.pinterest.com",
        f"/v3/?event=pagevisit&tid=2612345678901&cb={NOW}",
        "Fetch",
        "GET",
    ),
    Shape(
        "TikTok",
        "pixel",
        "analytics.tiktok.com",
        "/api/v2/pixel",
        "Ping",
        body=b'{"event":"Pageview","message_id":"m","context":{}}',
    ),
    Shape(
        "TikTok",
        "pixel by XHR",
        "analytics.tiktok.com",
        "/api/v2/pixel/act",
        "XHR",
        body=b'{"action":"Click"}',
    ),
    Shape(
        "LinkedIn Ads",
        "view",
        "px.ads.linkedin.com",
        f"/collect?v=2&fmt=js&pid=12345&time={NOW}&url={PAGE}",
        "Image",
        "GET",
    ),
    Shape(
        "Bing Ads",
        "view",
        "bat.bing.com",
        f"/action/0?ti=12345678&tm=gtm002&Ver=2&mid={UUID}&sid=1&p={PAGE}&evt=pageLoad",
        "Image",
        "GET",
    ),
    Shape(
        "Twitter Ads",
        "conversion",
        "t.co",
        "/1/i/adsct?bci=3&eci=2&event_id=1&txn_id=abc12&type=javascript&version=2.3.30",
        "Image",
        "GET",
    ),
    Shape(
        "Reddit Ads",
        "view",
        "alb.reddit.com",
        f"/rp.gif?ts={NOW}&id=t2_abc&event=PageVisit",
        "Image",
        "GET",
    ),
    Shape("Snapchat", "view", "tr.snapchat.com", "/p", "Ping", body=b"pid=1&ev=PAGE_VIEW"),
    Shape(
        "Heap",
        "view",
        "heapanalytics.com",
        f"/h?a=1234567890&u=1&v=2&s=3&b=web&tv=4.0&z=0&h=%2Fcart&ts={NOW}",
        "Image",
        "GET",
    ),
    Shape(
        "Hubspot",
        "view",
        "track.hubspot.com",
        f"/__ptq.gif?k=1&sd=1280x720&v=1.1&a=12345&pu={PAGE}&t=Cart",
        "Image",
        "GET",
    ),
    Shape(
        "Datadog",
        "RUM",
        "browser-intake-us5-datadoghq.com",
        f"/api/v2/rum?ddsource=browser&ddtags=sdk_version%3A5&dd-api-key=pub123&dd-request-id={UUID}",
        "Fetch",
        body=b'{"type":"view"}',
        proxied=True,
    ),
    Shape(
        "New Relic",
        "browser",
        "bam.nr-data.net",
        "/1/NRJS-0123456789abcdef?a=123456789&v=1.260.1&to=Nl&rst=1234&ck=0&s=0&ref=x",
        "XHR",
        proxied=True,
    ),
    Shape(
        "Statsig",
        "events",
        "prodregistryv2.org",
        "/v1/rgstr?k=client-abcDEF&st=javascript-client&sv=3.1&t=1",
        "Ping",
        proxied=True,
    ),
    Shape("Yandex Metrica", "view", "mc.yandex.ru", f"/watch/123?page-url={PAGE}&wmode=7", "Fetch"),
    Shape(
        "Cloudflare Web Analytics",
        "RUM",
        "cloudflareinsights.com",
        "/cdn-cgi/rum",
        "XHR",
        body=b'{"memory":{},"siteToken":"t","pageloadId":"p"}',
        proxied=True,
    ),
    Shape(
        "YouTube",
        "watched",
        "www.youtube.com",
        f"/api/stats/watchtime?ns=yt&el=embedded&cpn=a&ver=2&cmt=1&_={NOW}",
        "Fetch",
    ),
)
"""``sendBeacon`` is kind ``Ping``."""


@dataclass(frozen=True)
class Plain:
    """A request that is no beacon, however it looks."""

    url: str
    kind: str
    method: str = "GET"
    body: bytes | None = None


OWN = "https://shop.example.com"

LOOK_ALIKES = (
    # A shop's own requests, with vendors' words in them.
    Plain(f"{OWN}/track?order=1234&zip=12345", "Document"),
    Plain(f"{OWN}/track/?ip=1", "XHR"),
    Plain(f"{OWN}/collect?v=2&store=G-1", "XHR"),
    Plain(f"{OWN}/collect", "Fetch", "POST", b'{"v":1,"tid":"UA","slot":"10-12"}'),
    Plain(f"{OWN}/g/collect?v=2&tid=12", "Fetch"),
    Plain(f"{OWN}/api/event", "Fetch", "POST", b'{"n":2,"name":"Concert","d":"2026-12-01"}'),
    Plain(f"{OWN}/api/event/", "Fetch", "POST", b'{"u":"me","d":"a b","n":"x"}'),
    Plain(f"{OWN}/api/send", "Fetch", "POST", b'{"type":"message","website":"example.com"}'),
    Plain(f"{OWN}/e/?q=mug&ver=2", "XHR"),
    Plain(f"{OWN}/decide/?v=3", "XHR", "POST", b'{"token":"phc_abc"}'),
    Plain(f"{OWN}/batch", "XHR", "POST", b'{"api_key":"mine","events":[1]}'),
    Plain(f"{OWN}/v1/p", "XHR", "POST", b'{"messageId":"7"}'),
    Plain(f"{OWN}/v1/events?from=2026-11-01", "XHR"),
    Plain(f"{OWN}/v1/interact", "XHR", "POST", b'{"configId":"1","requestId":"2"}'),
    Plain(f"{OWN}/tr?id=12&ev=1", "Image"),
    Plain(f"{OWN}/b/ss/shoes/1", "Document"),
    Plain(f"{OWN}/count?p=2&s=10", "XHR"),
    Plain(f"{OWN}/i?e=pv", "Image"),
    Plain(f"{OWN}/com.example/track", "XHR", "POST", b'{"schema":"order/1"}'),
    Plain(f"{OWN}/rec/page?order=1", "XHR"),
    Plain(f"{OWN}/matomo.php?module=CoreHome", "Document"),
    Plain(f"{OWN}/api/v2/logs?page=1", "XHR"),
    Plain(f"{OWN}/events/1/1234567890?a=1", "XHR"),
    Plain(f"{OWN}/?ref=https://www.google-analytics.com/g/collect?v=2&tid=G-ABC123", "Document"),
    Plain(f"{OWN}/log", "Ping", "POST", b"left"),
    # Libraries, frames, and what the page needs from hosts of vendors.
    Plain("https://www.googletagmanager.com/gtag/js?id=G-ABC123&l=dataLayer&cx=c&gtm=4", "Script"),
    Plain("https://connect.facebook.net/en_US/fbevents.js", "Script"),
    Plain("https://cdn.segment.com/v1/projects/abc/settings", "Fetch"),
    Plain("https://cdn.optimizely.com/datafiles/abc.json", "XHR"),
    Plain("https://www.facebook.com/v19.0/dialog/oauth?client_id=1&redirect_uri=a&b=c", "Document"),
    Plain("https://graph.facebook.com/v19.0/me", "XHR", "POST", b"access_token=1"),
    Plain("https://us.i.posthog.com/flags/?v=2", "Fetch", "POST", b'{"token":"phc_a"}'),
    Plain("https://forms.hsforms.com/submissions/v3/public/1", "XHR", "POST", b"{}"),
    Plain("https://i.pinimg.com/originals/a.jpg?a=1&b=2&c=3&d=4", "Image"),
    Plain("https://static.hotjar.com/icon.png?v=3", "Image"),
    Plain("https://fast.fonts.net/t.css?a=1&b=2&c=3&d=4", "Stylesheet"),
    Plain("https://www.google.com/maps/vt/pb=!1m4?a=1&b=2&c=3&d=4", "Image"),
    Plain("https://www.google.com/recaptcha/api2/reload?k=1", "XHR", "POST", b"a"),
    Plain("https://www.bing.com/maps/tile?a=1&b=2&c=3&d=4", "Image"),
    Plain("https://login.okta.com/api/v1/authn", "XHR", "POST", b"{}"),
    Plain("https://api.stripe.com/v1/payment_intents", "XHR", "POST", b"{}"),
    Plain("https://o1.ingest.sentry.io/api/1/envelope/", "Fetch", "POST", b"{}"),
    Plain("https://api-iam.intercom.io/messenger/web/ping", "XHR", "POST", b"a=1"),
    Plain("https://www.youtube.com/youtubei/v1/player", "Fetch", "POST", b"{}"),
    Plain("https://api.bazaarvoice.com/data/batch.json?passkey=1&a=1&b=2&c=3", "XHR"),
    Plain("https://www.gravatar.com/avatar/0?s=80&d=mm", "Image"),
    Plain("https://google-analytics.com.example.org/g?v=2", "Fetch"),
)
