/*
 * What the map does in the browser: layers fetched from the app (or carried in the page), marks told apart by shape,
 * the slider of months, drawing, measuring, and clicks that find the mark under the finger.
 *
 * Every text comes encoded from the server (geo.ui.maps.h) or is set as text, never as markup. No module, no arrow
 * functions: old browsers of an office must run this.
 */
var tacha = (function () {
    "use strict";
    var NEAR_PX = 10, KEPT_TILES = 400;
    var nothing = {type: "FeatureCollection", features: []};

    /* The outline of a mark on a canvas pen; what is not named is a disc. */
    function outline(pen, at, r, shape) {
        var step, far, turn;
        pen.beginPath();
        if (shape === "triangle") {
            pen.moveTo(at.x, at.y - r); pen.lineTo(at.x + r, at.y + r); pen.lineTo(at.x - r, at.y + r);
            pen.closePath();
        } else if (shape === "cross") {
            pen.moveTo(at.x - r, at.y - r); pen.lineTo(at.x + r, at.y + r);
            pen.moveTo(at.x + r, at.y - r); pen.lineTo(at.x - r, at.y + r);
        } else if (shape === "star") {
            for (step = 0; step < 10; step++) {
                far = step % 2 ? r * 0.55 : r * 1.4;
                turn = Math.PI * (step / 5 - 0.5);
                pen.lineTo(at.x + far * Math.cos(turn), at.y + far * Math.sin(turn));
            }
            pen.closePath();
        } else if (shape === "square" || shape === "box") {
            pen.rect(at.x - r * 0.9, at.y - r * 0.9, r * 1.8, r * 1.8);
        } else {
            pen.arc(at.x, at.y, r, 0, 2 * Math.PI);
        }
    }

    /* A mark on its canvas; a mere line lies on white, or hatching would swallow it. */
    function paint(mark) {
        var pen = mark._renderer._ctx, own = mark.options;
        outline(pen, mark._point, mark._radius, own.shape);
        if (own.shape && !own.fill) {
            if (pen.setLineDash) { pen.setLineDash([]); }
            pen.globalAlpha = own.opacity;
            pen.lineWidth = own.weight + 2.5;
            pen.strokeStyle = "#ffffff";
            pen.stroke();
        }
        mark._renderer._fillStroke(pen, mark);
    }

    function look(own) {
        var line = own.shape === "ring" || own.shape === "cross" || own.shape === "box";
        return {color: line ? own.colour : "#ffffff", weight: line ? 2.5 : 1, fillColor: own.colour, fill: !line,
                fillOpacity: 1, opacity: 1, shape: own.shape};
    }

    var Mark = L.CircleMarker.extend({_updatePath: function () {
        var renderer = this._renderer;
        if (!renderer._drawing || this._empty()) { return; }
        paint(this);
    }});

    /* Which moment the map shows: all of the season, up to a month, or one month alone. */
    function shows(map, day) {
        var month = map.tacha.months[map.tacha.month];
        if (day === undefined || !month) { return true; }
        return day < month.end && (!map.tacha.only || day >= month.start);
    }

    function geojson(map, one) {
        var style = one.style, rows = nothing, names = L.layerGroup();  // names: a tooltip each would be measured, slowly
        /* a point has no halo: Leaflet would put its own pin there */
        var halo = one.halo ? L.geoJSON(null, {interactive: false,
            filter: function (feature) { return feature.geometry.type !== "Point"; },
            style: {color: "#ffffff", weight: style.weight + one.halo, fill: false}}) : null;
        var layer = L.geoJSON(null, {
            interactive: one.labelled,
            filter: function (feature) {
                return shows(map, feature.properties.t) && !(one.now && map.tacha.months[map.tacha.month]);
            },
            style: function (feature) {
                var share = feature.properties.share;
                return share === undefined ? style
                    : L.extend({}, style, {weight: Math.max(1, share * one.thickest)});
            },
            pointToLayer: function (feature, at) {
                return new Mark(at, L.extend({radius: 6}, look(feature.properties)));
            },
            onEachFeature: function (feature, drawn) {
                var own = feature.properties;
                if (own.shape && drawn.setStyle) { drawn.setStyle(look(own)); }
                if (own.label && one.named) {
                    names.addLayer(L.marker(own.at, {interactive: false, keyboard: false, icon: L.divIcon(
                        {className: "tacha-name", iconSize: [0, 0], html: "<span>" + own.label + "</span>"})}));
                } else if (own.label) {
                    drawn.bindTooltip(own.label, {sticky: true});
                }
            }
        });
        function draw() {
            layer.clearLayers();
            names.clearLayers();
            layer.addData(rows);
            order(map);
        }
        function take(got) {
            rows = got;
            if (halo) { halo.addData(rows); }
            draw();
        }
        if (one.rows) {
            take(one.rows);
        } else {
            fetch(one.url, {credentials: "same-origin"})
                .then(function (answer) { return answer.ok ? answer.json() : nothing; })
                .then(take);
        }
        map.tacha.ranked[2 * one.rank] = halo;
        map.tacha.ranked[2 * one.rank + 1] = layer;
        if (one.labelled) { map.tacha.marked.push(function (each) {
            if (map.hasLayer(layer)) {
                layer.eachLayer(function (drawn) { if (drawn instanceof Mark) { each(drawn.getLatLng(), ""); } });
            }
        }); }
        var whole = halo || one.named ? L.layerGroup((halo ? [halo] : []).concat(layer, names)) : layer;
        whole.on("add", function () { order(map); });
        map.tacha.timed.push(draw);
        return whole;
    }

    function order(map) {
        map.tacha.ranked.forEach(function (one) { if (one && map.hasLayer(one)) { one.bringToFront(); } });
    }

    /* Vector tiles drawn on canvas; each tile is fetched and decoded once however often the slider moves. */
    function vector(map, one) {
        var decoded = {}, names = [], marks = {};
        var Grid = L.VectorGrid.Protobuf.extend({
            _getVectorTilePromise: function (coords) {
                var key = coords.z + "/" + coords.x + "/" + coords.y, grid = this;
                if (!decoded[key]) {
                    names.push(key);
                    if (names.length > KEPT_TILES) { delete decoded[names.shift()]; }
                    decoded[key] = L.VectorGrid.Protobuf.prototype._getVectorTilePromise.call(
                        this, {x: coords.x, y: coords.y, z: coords.z - 1});
                }
                return decoded[key].then(function (tile) {
                    marks[key] = placed(grid, tile, coords);
                    return tile;
                });
            },
            _createLayer: function (feature, scale) {
                var drawn = L.VectorGrid.prototype._createLayer.call(this, feature, scale);
                if (feature.type === 1) {
                    drawn._updatePath = function () { paint(this); };
                }
                return drawn;
            }
        });
        function placed(grid, tile, coords) {
            var found = [], layer, scale, corner = coords.scaleBy(grid.getTileSize());
            for (var name in tile.layers) {
                layer = tile.layers[name];
                scale = grid.getTileSize().x / layer.extent;
                for (var i = 0; i < layer.features.length; i++) {
                    var feature = layer.features[i];
                    if (feature.type !== 1) { continue; }
                    var at = feature.geometry[0][0];
                    found.push({label: feature.properties.label || "", t: feature.properties.t,
                                at: map.unproject([corner.x + at.x * scale, corner.y + at.y * scale], coords.z)});
                }
            }
            return found;
        }
        var styles = {};
        styles[one.name] = function (own, zoom) {
            if (!shows(map, own.t)) { return []; }
            return own.shape ? L.extend({radius: zoom < 12 ? 2.5 : zoom < 14 ? 4.5 : 6}, look(own)) : one.style;
        };
        var grid = new Grid(one.url, {
            rendererFactory: L.canvas.tile, vectorTileLayerStyles: styles, maxZoom: 18, minZoom: 7, pane: "overlayPane",
            tileSize: 512, zIndex: one.rank + 1, fetchOptions: {credentials: "same-origin"}, updateWhenZooming: false
        });
        grid.on("tileunload", function (gone) {
            delete marks[gone.coords.z + "/" + gone.coords.x + "/" + gone.coords.y];
        });
        map.tacha.timed.push(function () { again(map, grid); });
        map.tacha.marked.push(function (each) {
            if (!map.hasLayer(grid)) { return; }
            for (var key in marks) {
                marks[key].forEach(function (mark) { if (shows(map, mark.t)) { each(mark.at, mark.label); } });
            }
        });
        return grid;
    }

    /* Fetch a layer's tiles anew. Leaflet's own redraw asks for the map's zoom as it is, and ours lies between levels. */
    function again(map, drawn) {
        if (map.hasLayer(drawn)) { drawn.remove(); drawn.addTo(map); }
    }

    function tiles(map, one) {
        var drawn = L.tileLayer(one.url, {opacity: one.opacity, maxZoom: 18, minZoom: 7, month: "", only: "",
                                          tileSize: 512, zoomOffset: -1,
                                          zIndex: one.rank + 1, attribution: ""});
        if (one.timed) {
            map.tacha.timed.push(function () {
                var month = map.tacha.months[map.tacha.month];
                drawn.options.month = month ? month.name : "";
                drawn.options.only = month && map.tacha.only ? "1" : "";
                again(map, drawn);
            });
        }
        return drawn;
    }

    function image(map, one) {
        return L.imageOverlay(one.url, one.bounds, {opacity: one.opacity, zIndex: one.rank + 1});
    }

    /* The mark nearest to a place on the screen, at most NEAR_PX away; null where there is none. */
    function nearest(map, point) {
        var best = null, least = NEAR_PX;
        map.tacha.marked.forEach(function (each) {
            each(function (at, label) {
                var far = map.latLngToContainerPoint(at).distanceTo(point);
                if (far < least) { least = far; best = {at: at, label: label}; }
            });
        });
        return best;
    }

    function aim(map) {
        var pointing = L.tooltip({direction: "top", offset: [0, -6]}), waiting = false;
        map.on("click", function (event) {
            var known = window.__GLOBAL_DATA__, mark;
            if (map.tacha.drawing) {  /* the last corner of a drawing is no question about that place */
                if (known) { event.latlng = known.lat_lng_clicked; }
                return;
            }
            mark = nearest(map, event.containerPoint);
            if (mark) { event.latlng = mark.at; }
        });
        map.on("mousemove", function (event) {
            if (waiting || map.tacha.drawing) { return; }
            waiting = true;
            window.setTimeout(function () {
                var mark = nearest(map, event.containerPoint);
                waiting = false;
                if (mark && mark.label) {
                    pointing.setLatLng(mark.at).setContent(mark.label);
                    if (!map.hasLayer(pointing)) { pointing.addTo(map); }
                } else {
                    map.removeLayer(pointing);
                }
            }, 60);
        });
    }

    function button(box, text, title, act) {
        var made = L.DomUtil.create("a", "tacha-button", box);
        made.href = "#";
        made.textContent = text;
        made.title = title;
        made.setAttribute("role", "button");
        made.setAttribute("aria-label", title);
        L.DomEvent.on(made, "click", function (event) { L.DomEvent.stop(event); act(); });
        return made;
    }

    function timeline(map, words) {
        var control = L.control({position: "bottomright"});
        control.onAdd = function () {
            var box = L.DomUtil.create("div", "tacha-time leaflet-bar"), months = map.tacha.months;
            var range = L.DomUtil.create("input", "", box), said = L.DomUtil.create("span", "", box);
            var label = L.DomUtil.create("label", "", box), only = L.DomUtil.create("input", "", label);
            var hidden = L.DomUtil.create("div", "tacha-hidden", box);  // the legend goes on naming them
            range.type = "range"; range.min = 0; range.max = months.length; range.step = 1; range.value = months.length;
            range.setAttribute("aria-label", words.time);
            only.type = "checkbox";
            label.appendChild(document.createTextNode(words.only));
            L.DomEvent.disableClickPropagation(box);
            L.DomEvent.disableScrollPropagation(box);
            function moved() {
                var at = Number(range.value);
                map.tacha.month = at < months.length ? at : -1;
                map.tacha.only = only.checked;
                said.textContent = at < months.length ? (only.checked ? months[at].alone : months[at].until) : words.whole;
                only.disabled = at >= months.length;
                hidden.textContent = at < months.length && map.tacha.now ? words.now : "";
                map.tacha.timed.forEach(function (draw) { draw(); });
            }
            range.oninput = function () {
                said.textContent = Number(range.value) < months.length ? months[range.value].until : words.whole;
            };
            range.onchange = moved;
            only.onchange = moved;
            said.textContent = words.whole;
            only.disabled = true;
            return box;
        };
        control.addTo(map);
    }

    /* Drawing an area and measuring a way; one area at a time, handed to the page as GeoJSON. */
    function tools(map, words, drawn, colour) {
        var measured = L.featureGroup().addTo(map), measuring = false, handler = null;
        var pen = {color: colour, weight: 3, fill: true, fillOpacity: 0.08};
        L.extend(L.drawLocal.draw.handlers.polyline.tooltip, words.line);
        L.extend(L.drawLocal.draw.handlers.polygon.tooltip, words.polygon);
        L.extend(L.drawLocal.draw.handlers.rectangle.tooltip, words.rectangle);
        L.extend(L.drawLocal.draw.handlers.simpleshape.tooltip, words.simple);
        L.drawLocal.draw.handlers.polyline.error = words.crossing;
        L.GeometryUtil.readableArea = function (area) {
            return words.mu ? (area / 666.6667).toFixed(0) + " " + words.mu : (area / 10000).toFixed(1) + " ha";
        };
        function begin(kind, options, measure) {
            if (handler) { handler.disable(); }
            measuring = measure;
            handler = new L.Draw[kind](map, options);
            handler.enable();
        }
        function clear() {
            drawn.clearLayers();
            measured.clearLayers();
            map.fire("draw:deleted", {layers: L.layerGroup()});
        }
        map.on("draw:drawstart", function () { map.tacha.drawing = true; });
        map.on("draw:drawstop", function () { window.setTimeout(function () { map.tacha.drawing = false; }, 400); });
        map.on("draw:created", function (event) {
            var metres = 0, places;
            if (!measuring) {
                drawn.clearLayers();
                drawn.addLayer(event.layer);
                return;
            }
            places = event.layer.getLatLngs();
            for (var i = 1; i < places.length; i++) { metres += map.distance(places[i - 1], places[i]); }
            measured.clearLayers();
            measured.addLayer(event.layer.bindTooltip(
                metres < 1000 ? metres.toFixed(0) + " m" : (metres / 1000).toFixed(2) + " km", {permanent: true}));
        });
        var control = L.control({position: "topleft"});
        control.onAdd = function () {
            var box = L.DomUtil.create("div", "leaflet-bar tacha-tools");
            button(box, "⬠", words.drawPolygon, function () {
                begin("Polygon", {shapeOptions: pen, showArea: true, allowIntersection: false}, false);
            });
            button(box, "▭", words.drawRectangle, function () {
                begin("Rectangle", {shapeOptions: pen, showArea: true, metric: true}, false);
            });
            button(box, "↔", words.measure, function () {
                begin("Polyline", {shapeOptions: {color: colour, weight: 3, dashArray: "4 6"}, metric: true,
                                   feet: false}, true);
            });
            button(box, "✕", words.clear, clear);
            L.DomEvent.disableClickPropagation(box);
            return box;
        };
        control.addTo(map);
    }

    function dress() {
        if (document.getElementById("tacha-style")) { return; }
        var sheet = document.createElement("style");
        sheet.id = "tacha-style";
        sheet.textContent = ".tacha-name span{position:absolute;transform:translate(-50%,-50%);white-space:nowrap;" +
            "font:600 12px/1.3 sans-serif;color:#111;text-shadow:0 0 3px #fff,0 0 3px #fff,0 0 5px #fff}" +
            ".tacha-time{background:#fff;padding:5px 9px;font:12px/1.5 sans-serif;max-width:300px}" +
            ".tacha-time input[type=range]{width:140px;vertical-align:middle}.tacha-time label{display:block}" +
            ".tacha-time span{margin-left:6px}.tacha-tools a{font-size:17px;line-height:28px}" +
            ".leaflet-container{background:#e8ecea}";
        document.head.appendChild(sheet);
    }

    var kinds = {geojson: geojson, vector: vector, tiles: tiles, image: image};

    /* Dress a map in its layers and tools; the group that holds what somebody draws. */
    return function (map, given) {
        var overlays = {}, drawn = L.featureGroup();
        map.tacha = {months: given.months, month: -1, only: false, ranked: [], timed: [], marked: [], drawing: false,
                     now: given.layers.some(function (one) { return one.now; })};
        dress();
        map.fitBounds(given.bounds, {animate: false});
        var made = given.layers.map(function (one) {
            var layer = kinds[one.kind](map, one);
            overlays[one.title] = layer;
            return {layer: layer, ground: one.kind === "tiles", shown: one.shown};
        });
        [false, true].forEach(function (ground) {  // what people look for is fetched before the ground it lies on
            made.forEach(function (one) { if (one.shown && one.ground === ground) { one.layer.addTo(map); } });
        });
        drawn.addTo(map);
        L.control.scale({imperial: false, maxWidth: 160}).addTo(map);
        var listed = L.control.layers(null, overlays, {collapsed: true}).addTo(map).getContainer();
        listed.querySelector(".leaflet-control-layers-toggle").title = given.words.layers;
        map.removeControl(map.zoomControl);
        map.zoomControl = L.control.zoom({zoomInTitle: given.words.zoomIn, zoomOutTitle: given.words.zoomOut}).addTo(map);
        aim(map);
        if (given.months.length) { timeline(map, given.words); }
        if (given.tools) { tools(map, given.words, drawn, given.pen); }
        return drawn;
    };
})();
