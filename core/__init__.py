"""Rule: wiring only: settings, routes and the server. What a lab is stands in `visualizer`."""
