//! Leaves the symbols of Node-API for Node to resolve when it loads the addon.

fn main() {
    napi_build::setup();
}
