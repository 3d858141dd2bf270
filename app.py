"""``streamlit run app.py`` serves the county named by TACHA_COUNTY; ``python -m geo.ui`` does the same from a wheel."""

import streamlit as st

from geo.ui.routes import MIDDLEWARE, ROUTES, prepared

app = st.App("geo/ui/main.py", routes=ROUTES, middleware=MIDDLEWARE, lifespan=prepared)
