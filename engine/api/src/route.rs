//! The table of routes. A route can be added only with a handler that states its permission, or by saying out loud
//! that it needs none; and only with its description, from which the OpenAPI document is made.
//!
//! A handler without a permission does not compile:
//!
//! ```compile_fail,E0277
//! use axum::Json;
//!
//! /// Says something.
//! #[utoipa::path(get, path = "/api/v1/secrets", responses((status = 200)))]
//! async fn handle() -> Json<&'static str> {
//!     Json("everything")
//! }
//!
//! clawd_api::route::Routes::default().guarded(__path_handle, handle);
//! ```
//!
//! The same with one does:
//!
//! ```
//! use axum::Json;
//! use clawd_api::Authorized;
//! use clawd_control::ServerRead;
//!
//! /// Says something.
//! #[utoipa::path(get, path = "/api/v1/names", responses((status = 200)))]
//! async fn handle(Authorized(permit): Authorized<ServerRead>) -> Json<String> {
//!     Json(permit.tenant().to_string())
//! }
//!
//! clawd_api::route::Routes::default().guarded(__path_handle, handle);
//! ```

use std::future::Future;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use clawd_control::{Act, App};
use utoipa::__dev::SchemaReferences;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Components, OpenApi, RefOr, Schema};

use crate::authorized::{Authorized, SignedIn};

/// The prefix of all routes that have a permission.
pub const PREFIX: &str = "/api/v1";

/// A handler whose first argument states a permission.
pub trait Guarded<Arguments> {
    /// The action that the gate is asked for.
    const ACTION: &'static str;
}

/// A handler whose first argument is the caller.
pub trait Personal<Arguments> {}

macro_rules! guarded {
    ($($argument:ident),*) => {
        impl<F, Fut, A, On, $($argument),*> Guarded<(Authorized<A, On>, $($argument,)*)> for F
        where
            F: Fn(Authorized<A, On>, $($argument),*) -> Fut,
            Fut: Future,
            A: Act,
        {
            const ACTION: &'static str = A::ACTION.as_str();
        }

        impl<F, Fut, $($argument),*> Personal<(SignedIn, $($argument,)*)> for F
        where
            F: Fn(SignedIn, $($argument),*) -> Fut,
            Fut: Future,
        {
        }
    };
}

guarded!();
guarded!(T1);
guarded!(T1, T2);
guarded!(T1, T2, T3);

/// The table of routes, and the document that describes it.
pub struct Routes {
    router: Router<App>,
    document: OpenApi,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            router: Router::new(),
            document: crate::openapi::frame(),
            schemas: Vec::new(),
        }
    }
}

impl Routes {
    /// Adds a route whose handler states its permission.
    #[must_use]
    pub fn guarded<P, H, T, G>(self, path: P, handler: H) -> Self
    where
        P: utoipa::Path + SchemaReferences,
        H: Handler<T, App> + Guarded<G>,
        T: 'static,
    {
        self.add(path, handler, <H as Guarded<G>>::ACTION)
    }

    /// Adds a route that is about the caller alone: who they are, the end of their own session.
    #[must_use]
    pub fn personal<P, H, T, G>(self, path: P, handler: H) -> Self
    where
        P: utoipa::Path + SchemaReferences,
        H: Handler<T, App> + Personal<G>,
        T: 'static,
    {
        self.add(path, handler, "signed-in")
    }

    /// Adds a route that everybody may use, without a token: `why` is the reason, for those who read the table.
    #[must_use]
    pub fn open<P, H, T>(self, path: P, handler: H, why: &'static str) -> Self
    where
        P: utoipa::Path + SchemaReferences,
        H: Handler<T, App>,
        T: 'static,
    {
        let _ = why;
        self.add(path, handler, "none")
    }

    fn add<P, H, T>(mut self, _path: P, handler: H, permission: &str) -> Self
    where
        P: utoipa::Path + SchemaReferences,
        H: Handler<T, App>,
        T: 'static,
    {
        let path = P::path();
        let mut operation = P::operation();
        operation
            .extensions
            .get_or_insert_default()
            .merge(ExtensionsBuilder::new().add("x-permission", permission).build());
        if permission != "none" {
            operation.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
        }
        crate::openapi::add_problem(&mut operation);
        P::schemas(&mut self.schemas);
        for method in P::methods() {
            self.router = self.router.route(&path, on(filter(&method), handler.clone()));
            self.document
                .paths
                .add_path_operation(&path, vec![method], operation.clone());
        }
        self
    }

    /// The router, and the finished document.
    pub(crate) fn finish(mut self) -> (Router<App>, OpenApi) {
        let components = self.document.components.get_or_insert_with(Components::new);
        components.schemas.extend(self.schemas);
        (self.router, self.document)
    }
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Trace => MethodFilter::TRACE,
        _ => MethodFilter::GET,
    }
}
