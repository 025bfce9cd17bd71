<?php
/**
 * Notifies the engine that something changed, once at the end of a request, or has the carried one make a pass.
 *
 * A lost nudge costs only time, so nothing here may ever break a page, print anything on it, or keep
 * it waiting longer than a second; and an engine that does not answer is left alone for a while.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The nudge.
 */
final class Nudge {

	/**
	 * How long the engine is left alone.
	 */
	const OPTION = 'closte_sync_nudge';

	/**
	 * The engine's route, whatever comes before it in the URL.
	 */
	const ROUTE = '/v1/nudge';

	/**
	 * In seconds: the longest that a page waits, the first pause after a failure, and the longest.
	 */
	const PATIENCE    = 1;
	const FIRST_PAUSE = 60;
	const LAST_PAUSE  = 900;

	/**
	 * The hooks that matter, and in one word what each is about.
	 */
	const HOOKS = array(
		'wu_add_domain'         => 'domain',
		'wu_remove_domain'      => 'domain',
		'wu_domain_post_save'   => 'domain',
		'wu_domain_post_delete' => 'domain',
		'wu_add_subdomain'      => 'site',
		'wu_remove_subdomain'   => 'site',
		'wp_insert_site'        => 'site',
		'wp_delete_site'        => 'site',
	);

	/**
	 * The columns of a site whose changes matter: each published post changes others.
	 */
	const OF_A_SITE = array( 'domain', 'path', 'site_id', 'archived', 'spam', 'deleted' );

	/**
	 * What happened first in this request.
	 *
	 * @var string|null
	 */
	private static $what = null;

	/**
	 * How many of our own writes are in progress.
	 *
	 * @var int
	 */
	private static $quiet = 0;

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		foreach ( self::HOOKS as $hook => $what ) {
			add_action(
				$hook,
				static function () use ( $what ) {
					self::mark( $what );
				}
			);
		}
		add_action( 'wp_update_site', array( self::class, 'mark_site' ), 10, 2 );
		foreach ( array( Ultimate_Multisite::SETTINGS, Ultimate_Multisite::INTEGRATIONS ) as $option ) {
			foreach ( array( 'add', 'update', 'delete' ) as $change ) {
				add_action( "{$change}_site_option_$option", array( self::class, 'mark_settings' ) );
			}
		}
		add_action( 'shutdown', array( self::class, 'send' ), PHP_INT_MAX );
	}

	/**
	 * Something changed.
	 *
	 * @param string $what In one word.
	 */
	public static function mark( $what ) {
		if ( 0 === self::$quiet && null === self::$what ) {
			self::$what = $what;
		}
	}

	/**
	 * What changed so far in this request, a pass has seen.
	 */
	public static function forget() {
		self::$what = null;
	}

	/**
	 * A site changed.
	 *
	 * @param \WP_Site $now    As it is.
	 * @param \WP_Site $before As it was.
	 */
	public static function mark_site( $now, $before ) {
		foreach ( self::OF_A_SITE as $name ) {
			if ( (string) $now->$name !== (string) $before->$name ) {
				self::mark( 'site' );
			}
		}
	}

	/**
	 * A setting changed.
	 */
	public static function mark_settings() {
		self::mark( 'settings' );
	}

	/**
	 * Do what the engine itself asked for, without a nudge.
	 *
	 * @param callable $work What to do.
	 * @return mixed What it returns.
	 */
	public static function quietly( callable $work ) {
		++self::$quiet;
		try {
			return $work();
		} finally {
			--self::$quiet;
		}
	}

	/**
	 * Notify the engine, if there is anything to report.
	 */
	public static function send() {
		$what       = self::$what;
		self::$what = null;
		if ( null === $what || ! Ultimate_Multisite::is_there() ) {
			return;
		}
		try {
			$nudge      = Engine::report()['nudge'];
			$is_touched = self::touch( $nudge['file'] );
			if ( ! $is_touched && null !== $nudge['url'] && self::post( $nudge['url'], $what ) ) {
				return;
			}
			// The file stays where an engine listened once, so to touch it shows nothing; if one does, it is left the work.
			if ( Carried::is_there() ) {
				self::let_the_page_go();
				Passes::nudge();
			}
		} catch ( \Throwable $error ) {
			// The page is done; there is nobody to report to.
			return;
		}
	}

	/**
	 * Touch the engine's file. It is never made here.
	 *
	 * @param string|null $file Its path.
	 * @return bool Whether that is done.
	 */
	private static function touch( $file ) {
		// phpcs:ignore -- Forbidden folders warn, and the result shows whether it worked.
		return null !== $file && @is_file( $file ) && @is_writable( $file ) && @touch( $file );
	}

	/**
	 * Post to the engine, unless it is gone or left alone.
	 *
	 * @param string $url  Where it listens.
	 * @param string $what What changed.
	 * @return bool Whether it answered.
	 */
	private static function post( $url, $what ) {
		$secret = Secret::read();
		if ( null === $secret || ! Engine::is_heard_of() || self::paused_until() > time() ) {
			return false;
		}
		self::let_the_page_go();
		$error = self::request( $secret, $url, $what );
		if ( null === $error ) {
			self::clear();
		} else {
			self::pause( $error );
		}
		return null === $error;
	}

	/**
	 * The visitor need not wait for what follows.
	 */
	private static function let_the_page_go() {
		foreach ( array( 'fastcgi_finish_request', 'litespeed_finish_request' ) as $finish ) {
			if ( function_exists( $finish ) ) {
				$finish();
				return;
			}
		}
	}

	/**
	 * Ask once.
	 *
	 * @param string $secret Signs it.
	 * @param string $url    Where the engine listens.
	 * @param string $what   What changed.
	 * @return string|null What went wrong.
	 */
	private static function request( $secret, $url, $what ) {
		$body    = (string) wp_json_encode( array( 'what' => $what ) );
		$headers = Signature::headers_to_engine( $secret, self::ROUTE, $body, time(), bin2hex( random_bytes( 16 ) ) );
		$limit   = array( self::class, 'limit_connecting' );
		add_action( 'requests-requests.before_request', $limit, 10, 5 );
		$answer = wp_remote_post(
			$url,
			array(
				'timeout'             => self::PATIENCE,
				'redirection'         => 0,
				'headers'             => array( 'Content-Type' => 'application/json' ) + $headers,
				'body'                => $body,
				'limit_response_size' => 1024,
			)
		);
		remove_action( 'requests-requests.before_request', $limit, 10 );
		if ( is_wp_error( $answer ) ) {
			return $answer->get_error_message();
		}
		$status = (int) wp_remote_retrieve_response_code( $answer );
		return $status >= 200 && $status < 300 ? null : "HTTP $status";
	}

	/**
	 * WordPress limits the whole request, but not always how long it takes to connect.
	 *
	 * @param string $url     Where to.
	 * @param array  $headers Of the request.
	 * @param mixed  $data    Of the request.
	 * @param string $type    Of the request.
	 * @param array  $options Of the request.
	 */
	public static function limit_connecting( $url, $headers, $data, $type, &$options ) {
		$options['connect_timeout'] = self::PATIENCE;
	}

	/**
	 * Until when the engine is left alone.
	 *
	 * @return int
	 */
	public static function paused_until() {
		$state = Network_Options::read( self::OPTION );
		return isset( $state['until'] ) ? (int) $state['until'] : 0;
	}

	/**
	 * Leave the engine alone for a while, longer each time.
	 *
	 * @param string $error What went wrong.
	 */
	private static function pause( $error ) {
		$now   = time();
		$state = Network_Options::read( self::OPTION );
		if ( isset( $state['until'] ) && $state['until'] > $now ) {
			// Another request failed at the same time: that is one failure, not two.
			return;
		}
		$failures = isset( $state['failures'] ) ? (int) $state['failures'] : 0;
		$pause    = min( self::LAST_PAUSE, self::FIRST_PAUSE * pow( 2, min( $failures, 10 ) ) );
		Network_Options::write(
			self::OPTION,
			array(
				'failures' => $failures + 1,
				'until'    => $now + $pause,
				'error'    => $error,
			)
		);
	}

	/**
	 * The engine answered: forget its failures.
	 */
	private static function clear() {
		if ( null !== Network_Options::read( self::OPTION ) ) {
			Network_Options::write( self::OPTION, array() );
		}
	}
}
