"""What the data set of vendors lacks, or has too broadly for stopping requests.

It was made to name the vendor of a script. Some of its entries take in a whole company
(``*.microsoft.com`` is "Bing Ads" there), and some of its categories speak of the company
and not of what its hosts do for a page (Okta, which logs people in, is "analytics").
"""

from __future__ import annotations

CORRECTED: dict[str, tuple[str, str]] = {
    # The data set's name: the name and the category used here.
    "Amplitude Mobile Analytics": ("Amplitude", "analytics"),
    "Facebook": ("Meta", "social"),
    "Google/Doubleclick Ads": ("Google Ads", "ad"),
    "Twitter Online Conversion Tracking": ("Twitter Ads", "ad"),
    "Twitter Short URL": ("Twitter Short URL", "other"),
    # Beacons filed elsewhere. Monitoring of real users counts visits as analytics does.
    "AppDynamics": ("AppDynamics", "analytics"),
    "Clarity": ("Clarity", "analytics"),
    "New Relic": ("New Relic", "analytics"),
    "mParticle": ("mParticle", "analytics"),
    # Whole companies; their beacons' hosts follow in OWN.
    "Bing Ads": ("Microsoft", "other"),
    "HP Optimost": ("HP", "other"),
    "IBM Tealeaf": ("IBM Cloud", "other"),
    "Microsoft XBox Live": ("Xbox Live", "content"),
    "Yahoo!": ("Yahoo", "other"),
    # Log-in.
    "Gigya": ("Gigya", "utility"),
    "Janrain": ("Janrain", "utility"),
    "Okta": ("Okta", "utility"),
    "OneAll": ("OneAll", "utility"),
    # Search, and what the page can't do without.
    "Apptus eSales": ("Apptus eSales", "utility"),
    "Bigcommerce": ("Bigcommerce", "hosting"),
    "Clerk.io ApS": ("Clerk.io", "utility"),
    "Ekm Systems": ("Ekm Systems", "hosting"),
    "Ordergroove": ("Ordergroove", "utility"),
    "Searchanise": ("Searchanise", "utility"),
    "Tray Commerce": ("Tray Commerce", "hosting"),
    "jsonip.com": ("jsonip.com", "utility"),
    # Reviews, pictures and comments that customers see.
    "Amplience": ("Amplience", "content"),
    "Bazaarvoice": ("Bazaarvoice", "content"),
    "Curalate": ("Curalate", "content"),
    "Disqus": ("Disqus", "content"),
    "Feefo.com": ("Feefo", "content"),
    "Flixmedia": ("Flixmedia", "content"),
    "Gravatar": ("Gravatar", "content"),
    "Judge.me": ("Judge.me", "content"),
    "Net Reviews": ("Net Reviews", "content"),
    "PowerReviews": ("PowerReviews", "content"),
    "Reevoo": ("Reevoo", "content"),
    "Reviews.co.uk": ("Reviews.co.uk", "content"),
    "Reviews.io": ("Reviews.io", "content"),
    "Stamped.io": ("Stamped.io", "content"),
    "Trust Pilot": ("Trustpilot", "content"),
    "Yotpo": ("Yotpo", "content"),
    "Zmags": ("Zmags", "content"),
    "eKomi": ("eKomi", "content"),
    # A chat.
    "Drift": ("Drift", "customer-success"),
}

OWN: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    # Name, category, hosts; these win over the data set's.
    ("Adobe Experience Cloud", "analytics", ("*.adobedc.net",)),
    ("Amplitude Experiment", "utility", ("*.lab.amplitude.com", "*.lab.eu.amplitude.com")),
    (
        "Application Insights",
        "analytics",
        ("dc.services.visualstudio.com", "*.applicationinsights.azure.com"),
    ),
    ("Bing Ads", "ad", ("bat.bing.com", "bat.bing.net", "c.bing.com", "*.msads.net")),
    ("Braze", "analytics", ("*.braze.com", "*.braze.eu", "*.appboy.com")),
    (
        "Datadog",
        "analytics",
        (
            "*.browser-intake-datadoghq.com",
            "*.browser-intake-datadoghq.eu",
            "*.browser-intake-us3-datadoghq.com",
            "*.browser-intake-us5-datadoghq.com",
            "*.browser-intake-ap1-datadoghq.com",
            "*.browser-intake-ap2-datadoghq.com",
            "*.browser-intake-ddog-gov.com",
            "rum-http-intake.logs.datadoghq.com",
            "rum-http-intake.logs.datadoghq.eu",
        ),
    ),
    ("Dynatrace", "analytics", ("*.bf.dynatrace.com", "*.live.dynatrace.com")),
    ("GoatCounter", "analytics", ("*.goatcounter.com", "gc.zgo.at")),
    ("Heap", "analytics", ("*.heap-api.com",)),
    ("IBM Tealeaf", "analytics", ("*.tealeaf.ibmcloud.com",)),
    (
        "LogRocket",
        "analytics",
        ("*.logrocket.io", "*.lr-ingest.io", "*.lr-ingest.com", "*.lr-in.com", "*.lr-in-prod.com"),
    ),
    ("Microsoft", "other", ("*.msftauth.net",)),
    ("Pirsch", "analytics", ("*.pirsch.io",)),
    ("PostHog", "analytics", ("*.posthog.com",)),
    ("Reddit Ads", "ad", ("alb.reddit.com", "pixel-config.reddit.com")),
    ("RudderStack", "analytics", ("*.rudderstack.com", "*.rudderlabs.com")),
    ("Simple Analytics", "analytics", ("*.simpleanalyticscdn.com", "*.simpleanalytics.com")),
    ("Snowplow", "analytics", ("*.snowplow.io", "*.snplow.net")),
    ("Statsig", "analytics", ("*.statsigapi.net", "*.statsig.com", "prodregistryv2.org")),
    ("Umami", "analytics", ("*.umami.is", "*.umami.dev")),
    (
        "Yahoo! Ads",
        "ad",
        ("*.analytics.yahoo.com", "*.ads.yahoo.com", "*.yahooapis.jp", "*.bluelithium.com"),
    ),
)

READS: dict[str, str] = {
    # What is posted to a vendor of beacons and changes the page: flags, forms. A path pattern.
    "Hubspot": r"/(?:embed|submissions|uploads|collected-forms/v1/config)/",
    "PostHog": r"/(?:decide|flags)/?$",
    "Statsig": r"/v1/(?:initialize|get_config|check_gate)$",
}

ALSO: dict[str, str] = {
    # What people call a vendor, where that isn't its name here.
    "adobe analytics": "Adobe Experience Cloud",
    "bing uet": "Bing Ads",
    "doubleclick": "Google Ads",
    "facebook": "Meta",
    "facebook pixel": "Meta",
    "fathom": "Fathom Analytics",
    "ga4": "Google Analytics",
    "gtm": "Google Tag Manager",
    "launchdarkly": "Launch Darkly",
    "linkedin insight": "LinkedIn Ads",
    "meta pixel": "Meta",
    "microsoft clarity": "Clarity",
    "microsoft advertising": "Bing Ads",
    "piwik pro": "Piwik",
    "snap": "Snapchat",
    "twitter pixel": "Twitter Ads",
    "x": "Twitter Ads",
}
