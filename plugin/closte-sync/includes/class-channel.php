<?php
/**
 * The calls of the engine: REST routes that only it may use, and the lines of an engine that this plugin started.
 *
 * It does not matter who is logged in, or whether anybody is: at a route the signature alone decides. The pipe to
 * our own child is private and needs none.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The routes below `closte-sync/v1`.
 */
final class Channel {

	const NAME     = 'closte-sync/v1';
	const PROTOCOL = 1;

	/**
	 * Each is a function of this class by the same name.
	 */
	const CALLS = array( 'hello', 'report', 'stages', 'network', 'home', 'switch', 'secret', 'leave', 'mail' );

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( 'rest_api_init', array( self::class, 'register' ) );
		add_filter( 'rest_authentication_errors', array( self::class, 'let_through' ), PHP_INT_MAX );
		add_filter( 'rest_send_nocache_headers', array( self::class, 'never_cached' ), PHP_INT_MAX );
	}

	/**
	 * Register the routes.
	 */
	public static function register() {
		foreach ( self::CALLS as $call ) {
			$route = array(
				'methods'             => 'POST',
				'permission_callback' => array( Gate::class, 'check' ),
				'callback'            => static function ( $request ) use ( $call ) {
					return self::answer( $call, $request );
				},
			);
			register_rest_route( self::NAME, "/$call", $route );
		}
	}

	/**
	 * Answer a call of an engine that this plugin started.
	 *
	 * @param string $call  Which.
	 * @param array  $asked Its body.
	 * @return array `status` and `body`, as the route would answer.
	 */
	public static function call( $call, array $asked ) {
		try {
			$answer = in_array( $call, self::CALLS, true )
				? call_user_func( array( self::class, "answer_$call" ), $asked )
				: new \WP_Error( 'rest_no_route', __( 'There is no such call.', 'closte-sync' ), array( 'status' => 404 ) );
		} catch ( \Throwable $error ) {
			// A plugin's fault in one of the hooks that a save has.
			$answer = new \WP_Error( 'closte_sync_failed', $error->getMessage(), array( 'status' => 500 ) );
		}
		if ( ! is_wp_error( $answer ) ) {
			return array(
				'status' => 200,
				'body'   => $answer,
			);
		}
		$data = $answer->get_error_data();
		return array(
			'status' => isset( $data['status'] ) ? $data['status'] : 500,
			'body'   => array(
				'code'    => $answer->get_error_code(),
				'message' => $answer->get_error_message(),
			),
		);
	}

	/**
	 * An answer as the line that is said to the engine.
	 *
	 * @param array $answer Of `call`.
	 * @return string
	 */
	public static function line( array $answer ) {
		return (string) wp_json_encode( $answer, JSON_INVALID_UTF8_SUBSTITUTE ) . "\n";
	}

	/**
	 * Where a network refuses users who are not logged in, our routes still have their own check.
	 *
	 * @param mixed $error What others found.
	 * @return mixed
	 */
	public static function let_through( $error ) {
		return is_wp_error( $error ) && self::is_ours() ? null : $error;
	}

	/**
	 * None of our answers may be cached.
	 *
	 * @param bool $never What others want.
	 * @return bool
	 */
	public static function never_cached( $never ) {
		return $never || self::is_ours();
	}

	/**
	 * Whether the request is for one of our routes.
	 *
	 * @return bool
	 */
	private static function is_ours() {
		$route = isset( $GLOBALS['wp']->query_vars['rest_route'] ) ? $GLOBALS['wp']->query_vars['rest_route'] : '';
		return is_string( $route ) && 0 === strpos( ltrim( $route, '/' ), self::NAME . '/' );
	}

	/**
	 * Answer a call that passed the gate.
	 *
	 * @param string           $call    Which.
	 * @param \WP_REST_Request $request What came.
	 * @return \WP_REST_Response|\WP_Error
	 */
	private static function answer( $call, $request ) {
		$asked = json_decode( (string) $request->get_body(), true );
		if ( ! is_array( $asked ) ) {
			return self::bad( __( 'The body is not a JSON object.', 'closte-sync' ) );
		}
		$answer = call_user_func( array( self::class, "answer_$call" ), $asked );
		return is_wp_error( $answer ) ? $answer : new \WP_REST_Response( $answer );
	}

	/**
	 * Versions and modes, what a person wants checked, what one decided, and whose owners have a status page.
	 *
	 * @param array $asked Whether to hand over the former, as `take`; and who does not act and why, as `standby`.
	 * @return array|\WP_Error
	 */
	private static function answer_hello( array $asked ) {
		if ( isset( $asked['standby'] ) && is_array( $asked['standby'] ) ) {
			Standbys::note( $asked['standby'] );
			if ( isset( $asked['standby']['answers'] ) && ! Requests::answer( $asked['standby']['answers'] ) ) {
				return self::not_stored();
			}
		}
		return array(
			'plugin'             => Plugin::version(),
			'protocol'           => self::PROTOCOL,
			'time'               => time(),
			'wordpress'          => get_bloginfo( 'version' ),
			'php'                => PHP_VERSION,
			'ultimate_multisite' => Ultimate_Multisite::version(),
			'mode'               => Takeover::mode(),
			'locale'             => self::locale(),
			'switched_on'        => Engine::is_switched_on(),
			'object_cache'       => (bool) wp_using_ext_object_cache(),
			'rechecks'           => empty( $asked['take'] ) ? Rechecks::waiting() : Rechecks::take(),
			'requests'           => Requests::for_engine(),
			'status_pages'       => Status_Links::ids(),
			'refused'            => Refusals::told(),
		);
	}

	/**
	 * The language of the network's main site; `get_locale()` would be that of the site whose request this is.
	 *
	 * @return string
	 */
	private static function locale() {
		$own    = get_blog_option( get_main_site_id(), 'WPLANG', null );
		$locale = is_string( $own ) ? $own : get_site_option( 'WPLANG' );
		return is_string( $locale ) && '' !== $locale ? $locale : 'en_US';
	}

	/**
	 * What the engine knows, for the pages.
	 *
	 * @param array $asked The report.
	 * @return object|\WP_Error
	 */
	private static function answer_report( array $asked ) {
		$before = (int) Engine::report()['received'];
		// An older engine does not say whose report it is.
		if ( isset( $asked['ledger'] ) && Home::is_of_another( $asked['ledger'] ) ) {
			return new \WP_Error( 'closte_sync_not_the_home', __( 'Another installation acts for this network.', 'closte-sync' ), array( 'status' => 409 ) );
		}
		Standbys::acts( isset( $asked['ledger'] ) ? $asked['ledger'] : null );
		$is_answered = Requests::answer( isset( $asked['answers'] ) ? $asked['answers'] : null );
		if ( ! $is_answered || ! Engine::store( $asked ) || ! Owner_Pages::store( $asked ) || ! Engine::note_heard( time() ) ) {
			return self::not_stored();
		}
		Gap::forget_until( $before );
		Giving_Back::take();
		return (object) array();
	}

	/**
	 * Stages to be saved.
	 *
	 * @param array $asked The writes.
	 * @return array|\WP_Error
	 */
	private static function answer_stages( array $asked ) {
		$writes = isset( $asked['writes'] ) ? $asked['writes'] : null;
		if ( ! is_array( $writes ) || count( $writes ) > Stage_Writer::MOST || array_filter( $writes, 'is_array' ) !== $writes ) {
			return self::bad( __( 'There must be a list of at most 50 writes.', 'closte-sync' ) );
		}
		if ( ! Ultimate_Multisite::is_there() ) {
			return new \WP_Error( 'closte_sync_no_ultimate_multisite', __( 'Ultimate Multisite is not active, so they cannot be saved.', 'closte-sync' ), array( 'status' => 503 ) );
		}
		$results = array_map( array( new Stage_Writer(), 'write' ), array_values( $writes ) );
		// A long pass writes many of them before its report.
		Engine::note_heard( time() );
		Giving_Back::take();
		return array( 'results' => $results );
	}

	/**
	 * The whole network, unless the engine knows it.
	 *
	 * @param array $asked The version it knows.
	 * @return array|\WP_Error
	 */
	private static function answer_network( array $asked ) {
		$known  = isset( $asked['known'] ) && is_string( $asked['known'] ) ? $asked['known'] : null;
		$reader = new Network_Reader();
		$answer = $reader->read( $known );
		if ( null === $answer ) {
			return new \WP_Error( 'closte_sync_unreadable', __( 'The database did not answer in full.', 'closte-sync' ), array( 'status' => 503 ) );
		}
		return $answer;
	}

	/**
	 * Which installation acts for the network.
	 *
	 * @param array $asked The one that wants to.
	 * @return array|\WP_Error
	 */
	private static function answer_home( array $asked ) {
		$home = Home::tidy( $asked );
		if ( null === $home ) {
			return self::bad( __( 'A home has a domain and a ledger.', 'closte-sync' ) );
		}
		if ( isset( $asked['over'] ) && is_array( $asked['over'] ) ) {
			$settled = Home::move( $home, $asked['over'] );
			return $settled !== $home && Home::is_same( $settled, $asked['over'] ) ? self::not_stored() : array( 'home' => $settled );
		}
		$replace = ! empty( $asked['replace'] );
		$settled = Home::settle( $home, $replace );
		if ( $replace ? $settled !== $home : ! Home::is_there() ) {
			return self::not_stored();
		}
		return array( 'home' => $settled );
	}

	/**
	 * Closte's switch.
	 *
	 * @param array $asked Where to.
	 * @return array|\WP_Error
	 */
	private static function answer_switch( array $asked ) {
		if ( ! isset( $asked['on'] ) || ! is_bool( $asked['on'] ) ) {
			return self::bad( __( '`on` is true or false.', 'closte-sync' ) );
		}
		$changed = Nudge::quietly(
			static function () use ( $asked ) {
				return Ultimate_Multisite::turn( $asked['on'] );
			}
		);
		Engine::forget();
		return Engine::is_switched_on() === $asked['on'] ? array( 'changed' => $changed ) : self::not_stored();
	}

	/**
	 * Another secret.
	 *
	 * @param array $asked It.
	 * @return object|\WP_Error
	 */
	private static function answer_secret( array $asked ) {
		if ( ! is_ssl() ) {
			return new \WP_Error( 'closte_sync_not_https', __( 'A secret is accepted over https only.', 'closte-sync' ), array( 'status' => 403 ) );
		}
		if ( ! isset( $asked['secret'] ) || ! Signature::is_secret( $asked['secret'] ) ) {
			return self::bad( __( 'A secret is 64 hexadecimal digits.', 'closte-sync' ) );
		}
		Secret::write( $asked['secret'] );
		return Secret::read() === $asked['secret'] ? (object) array() : self::not_stored();
	}

	/**
	 * Messages to be mailed.
	 *
	 * @param array $asked They.
	 * @return array|\WP_Error
	 */
	private static function answer_mail( array $asked ) {
		$messages = isset( $asked['messages'] ) ? $asked['messages'] : null;
		if ( ! Notice_Mails::are_messages( $messages ) ) {
			return self::bad( __( 'There must be a list of at most 50 messages.', 'closte-sync' ) );
		}
		return array( 'mailed' => Notice_Mails::mail( $messages ) );
	}

	/**
	 * Deactivate this plugin, so that the built-in integration gets its work back: who deletes the files and
	 * options next could not do that.
	 *
	 * @return array Whether it has it, and the domains whose removal nobody may have sent.
	 */
	private static function answer_leave() {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		deactivate_plugins( plugin_basename( FILE ), false, true );
		Dismissals::forget();
		return array(
			'given'   => Giving_Back::is_done(),
			'removed' => array_values( wp_list_pluck( Gap::unsent()['removed'], 'domain' ) ),
		);
	}

	/**
	 * The answer where the database did not store what it was given.
	 *
	 * @return \WP_Error
	 */
	private static function not_stored() {
		return new \WP_Error( 'closte_sync_not_stored', __( 'The database did not store it.', 'closte-sync' ), array( 'status' => 503 ) );
	}

	/**
	 * The answer to an invalid request.
	 *
	 * @param string $message Why.
	 * @return \WP_Error
	 */
	private static function bad( $message ) {
		return new \WP_Error( 'closte_sync_bad_request', $message, array( 'status' => 400 ) );
	}
}
